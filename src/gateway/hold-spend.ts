import { Big } from 'big.js';
import { formatUsdc } from '#kit/index.ts';
import type { PublishedVersion, Readiness } from '#resources/index.ts';
import { findFullCap, releaseSpend, type SpendCap } from '#usage/index.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { tellWorst } from './quote-worst.ts';
import { CAP_REACHED, toRefused } from './tell-owner.ts';

type SpendDeps = Pick<GatewayDeps, 'database' | 'kinds' | 'clock' | 'log' | 'news'>;
type NotReady = Extract<Readiness, { ready: false }>;

const DAY_MS = 86_400_000;

interface Call {
  callId: string;
  version: PublishedVersion;
  /** Null where nobody pays. */
  payer: string | null;
  /** Of how many runs it consists. */
  runs?: number;
}

/** Before any money moves: sets the most that the call may cost aside under the caps of its creator. Null where it fits. */
export async function holdUnderCaps(
  deps: SpendDeps & Pick<GatewayDeps, 'readiness' | 'spend'>,
  { callId, version, payer, runs = 1 }: Call,
): Promise<NotReady | null> {
  const { ownerId, resourceId } = version;
  const worstUsd = new Big(await toWorst(deps, version)).times(runs).toFixed();
  const full = await deps.spend.hold({ callId, ownerId, resourceId, payer, worstUsd });
  if (full === null) {
    return null;
  }
  const notReady = toNotReady(deps, full, worstUsd);
  await deps.news.tellCap({ ...toRefused(version), cap: full, worstUsd, runs });
  // One input may fit where many do not.
  if (full.scope !== 'payer' && runs === 1) {
    // The next challenge is to know it.
    deps.readiness.note(version, notReady);
  }
  return notReady;
}

/** The call is not run after all. Never rejects: what cannot be released counts until the day is over. */
export async function releaseUnderCaps(
  { database, log }: Pick<GatewayDeps, 'database' | 'log'>,
  callId: string,
): Promise<void> {
  try {
    await releaseSpend(database.system, [callId]);
  } catch (err) {
    log.warn({ err, callId }, 'what was set aside under a spend cap could not be released');
  }
}

/** So long an answer serves: what decides of a call is `holdUnderCaps`. */
const KEPT_MS = 1_000;

/** Is there room for one more call, whoever pays it? From memory for a moment, because it is asked with every call. */
export function openCaps(deps: SpendDeps): (version: PublishedVersion) => Promise<Readiness> {
  const known = new WeakMap<PublishedVersion, { atMs: number; told: Promise<Readiness> }>();
  return (version) => {
    const found = known.get(version);
    if (found && deps.clock.now() - found.atMs <= KEPT_MS) {
      return found.told;
    }
    const told = askCaps(deps, version);
    known.set(version, { atMs: deps.clock.now(), told });
    told.catch(() => known.delete(version));
    return told;
  };
}

async function askCaps(deps: SpendDeps, version: PublishedVersion): Promise<Readiness> {
  const { ownerId, resourceId } = version;
  const worstUsd = await toWorst(deps, version);
  const full = await findFullCap(deps.database.system, { ownerId, resourceId, worstUsd });
  if (full === null) {
    return { ready: true };
  }
  await deps.news.tellCap({ ...toRefused(version), cap: full, worstUsd, runs: 1 });
  return toNotReady(deps, full, worstUsd);
}

/** Of what a kind cannot tell, what the call is sold for; of a kind that costs nothing, nothing. */
async function toWorst(deps: SpendDeps, version: PublishedVersion): Promise<string> {
  const worst = await tellWorst(deps, version);
  if (worst !== null) {
    return worst;
  }
  return deps.kinds.get(version.kind)?.quoteCost ? formatUsdc(version.priceAtomic) : '0';
}

const whose = {
  key: 'on your own keys',
  resource: 'for this resource',
  payer: 'for the calls of this wallet',
} as const;

function toNotReady({ clock }: Pick<SpendDeps, 'clock'>, { scope, perDayUsd }: SpendCap, worstUsd: string): NotReady {
  return {
    ready: false,
    cause: `${CAP_REACHED}: You spend at most ${perDayUsd} USD a day ${whose[scope]}. What is left of it today does not cover one more call, which may cost up to ${worstUsd} USD. The day begins anew at 00:00 UTC. To go on now, raise it: PUT /api/user/spend-caps.`,
    retryAfterSeconds: Math.ceil((DAY_MS - (clock.now() % DAY_MS)) / 1000),
  };
}
