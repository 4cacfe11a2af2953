import { judgeMargin, listInputs, priceOffers, type PublishedVersion, type Readiness } from '#resources/index.ts';
import type { GatewayDeps } from './gateway-deps.ts';

/**
 * Does the price of this input cover what it may cost? Readiness has looked at the inputs where the margin is usually
 * smallest; this one may be dearer all the same. Of a fixed price there is nothing more to be said.
 */
export async function judgeInput(
  deps: Pick<GatewayDeps, 'kinds'>,
  version: PublishedVersion,
  input: Record<string, unknown> | undefined,
): Promise<Readiness> {
  const { kind, config, parameters, ownerId, maxLossUsd, batchOf } = version;
  if (batchOf && input !== undefined) {
    const judged = await Promise.all(listInputs(input).map((one) => judgeInput(deps, batchOf, one)));
    return judged.find(({ ready }) => !ready) ?? { ready: true };
  }
  if (!version.priceFormula || input === undefined || maxLossUsd === null) {
    return { ready: true };
  }
  const quote = (await deps.kinds.get(kind)?.quoteCost?.(config, parameters, { ownerId, input })) ?? null;
  const judged = judgeMargin({ offers: priceOffers(version, input), maxLossUsd }, quote);
  // Other inputs are sold all the same, so nothing is paused for this one.
  return judged.ready ? judged : { ...judged, retryAfterSeconds: RETRY_SECONDS };
}

const RETRY_SECONDS = 600;
