import { safeParse, Problem } from '#kit/index.ts';
import type { IntegrationDeps } from './integration.ts';
import type { IntegrationService } from './integration-service.ts';

export type Checked<Shown extends object> =
  | { verdict: 'good'; label: string | null; shown: Shown; hasCredit: boolean | null }
  /** Nothing was learnt of the key. */
  | { verdict: 'unclear'; detail: string }
  /** The key will not work as it is. `shown`: what the provider told of the money that is missing. */
  | { verdict: 'refused'; detail: string; shown: Shown | null; hasCredit: boolean | null };

const MAX_DETAIL = 300;
const MAX_LABEL = 200;

/** Asks the provider. Whatever comes back is cut to size and never repeats the key. */
export async function checkGiven<Given extends object, Shown extends object>(
  deps: Pick<IntegrationDeps, 'clients'>,
  service: IntegrationService<Given, Shown>,
  given: Given,
): Promise<Checked<Shown>> {
  const key = service.toKey(given);
  const answer = await service.check(deps.clients, given);
  if (!answer.ok) {
    const detail = answer.detail.replaceAll(key, '…').slice(0, MAX_DETAIL);
    const { verdict, shown = null, hasCredit = null } = answer;
    return verdict === 'unclear'
      ? { verdict, detail }
      : { verdict, detail, shown: safeParse(service.shown, shown && withoutKey(shown, key)).data ?? null, hasCredit };
  }
  const parsed = safeParse(service.shown, withoutKey(answer.shown, key));
  if (!parsed.success || (answer.label?.length ?? 0) > MAX_LABEL) {
    return { verdict: 'unclear', detail: `${service.provider} answered in a form that is not understood.` };
  }
  const label = answer.label?.replaceAll(key, '…') ?? null;
  return { verdict: 'good', label, shown: parsed.data, hasCredit: answer.hasCredit ?? null };
}

/** The same, for a key that is not stored yet. Throws `unprocessable` for a bad key, `unavailable` when nobody could be asked. */
export async function assertGiven<Given extends object, Shown extends object>(
  deps: Pick<IntegrationDeps, 'clients'>,
  service: IntegrationService<Given, Shown>,
  given: Given,
): Promise<Extract<Checked<Shown>, { verdict: 'good' }>> {
  return assertGood(service, await checkGiven(deps, service, given));
}

export function assertGood<Shown extends object>(
  service: Pick<IntegrationService, 'credential'>,
  checked: Checked<Shown>,
): Extract<Checked<Shown>, { verdict: 'good' }> {
  if (checked.verdict === 'good') {
    return checked;
  }
  const { verdict, detail } = checked;
  throw verdict === 'refused'
    ? new Problem('unprocessable', { detail, next: `Correct the ${service.credential}; nothing was changed.` })
    : new Problem('unavailable', { detail, next: 'Try again in a minute; nothing was changed.' });
}

/** A provider may repeat what it was sent, at any place. */
function withoutKey(answer: object, key: string): unknown {
  return JSON.parse(JSON.stringify(answer), (_name, value: unknown) =>
    typeof value === 'string' ? value.replaceAll(key, '…') : value,
  );
}
