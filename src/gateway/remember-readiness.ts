import type { Clock, Log } from '#kit/index.ts';
import {
  forgetQuotes,
  isSellable,
  judgeNetworks,
  recallCases,
  type PauseRequest,
  type PublishedVersion,
  type Readiness,
  type ResourceKind,
  type VersionOffer,
} from '#resources/index.ts';

export interface ReadinessMemory {
  /** For the ready 402 of a version in memory: was it able to run a moment ago? Asks again in the background as that ages. */
  isKnownReady(version: PublishedVersion): boolean;
  /** What was found a moment ago, or asked now. */
  recall(version: PublishedVersion): Promise<Readiness>;
  /** Asked now. What cannot run until its owner acts is paused. */
  ask(version: PublishedVersion): Promise<Readiness>;
  /** What a call has found, which comes back by itself. */
  note(version: PublishedVersion, readiness: Readiness): void;
  /** A key, a model or something else that versions need has changed. */
  forget(): void;
}

interface MemoryDeps {
  kinds: ReadonlyMap<string, ResourceKind>;
  clock: Clock;
  log: Log;
  /** Is there room for one more call under what its creator allows to be spent? */
  askCaps(version: PublishedVersion): Promise<Readiness>;
  /** Are payments taken on its network? Absent: on every one. */
  isPayable?(offer: VersionOffer): boolean;
  /** Takes off sale what cannot run. */
  pause(request: PauseRequest): Promise<void>;
}

/** So long an answer is as good as new; most of what changes it is told at once, by `forget` or by another version in memory. */
const FRESH_MS = 2_000;
/** So long it serves while it is asked anew. */
const AGING_MS = 30_000;

/** Kept with the version in memory, and forgotten with it. */
export function rememberReadiness(deps: MemoryDeps): ReadinessMemory {
  let known = new WeakMap<PublishedVersion, { readiness: Readiness; at: number; isAsking: boolean }>();
  /** Why each version cannot run, as the log says already: buyers may ask often. */
  const told = new WeakMap<PublishedVersion, string>();
  const tell = (version: PublishedVersion, readiness: Readiness): void => {
    const { resourceId } = version;
    if (readiness.ready) {
      told.delete(version);
    } else if (told.get(version) !== readiness.cause) {
      told.set(version, readiness.cause);
      deps.log.warn({ resourceId, cause: readiness.cause }, 'resource is not ready');
    }
  };
  const ask = async (asked: PublishedVersion): Promise<Readiness> => {
    const version = toOne(asked);
    const askedIn = known;
    const readiness = await askKind(deps, version);
    tell(version, readiness);
    askedIn.set(version, { readiness, at: deps.clock.now(), isAsking: false });
    if (!readiness.ready) {
      await stopSale(deps, version, readiness);
    }
    return readiness;
  };
  return {
    ask,
    note: (version, readiness) => {
      tell(version, readiness);
      known.set(version, { readiness, at: deps.clock.now(), isAsking: false });
    },
    isKnownReady: (version) => {
      const found = known.get(version);
      const age = found ? deps.clock.now() - found.at : Number.POSITIVE_INFINITY;
      if (!found?.readiness.ready || age > AGING_MS) {
        return false;
      }
      if (age > FRESH_MS && !found.isAsking) {
        found.isAsking = true;
        void ask(version);
      }
      return true;
    },
    recall: async (version) => {
      const found = known.get(toOne(version));
      return found && deps.clock.now() - found.at <= FRESH_MS ? found.readiness : ask(version);
    },
    forget: () => {
      known = new WeakMap();
      forgetQuotes(deps.kinds.values());
    },
  };
}

/** Many inputs can run where one can. */
function toOne(version: PublishedVersion): PublishedVersion {
  return version.batchOf ?? version;
}

/** A kind that cannot even say is not ready; what it threw is nothing for buyers. */
async function askKind(deps: MemoryDeps, version: PublishedVersion): Promise<Readiness> {
  try {
    const unknown = {
      ready: false as const,
      cause: `unknown_kind: Resources of the kind "${version.kind}" are not run here any more.`,
    };
    const kind = deps.kinds.get(version.kind);
    const payable = judgeNetworks(version, (offer) => deps.isPayable?.(offer) ?? true);
    if (!payable.ready) {
      return payable;
    }
    const readiness = kind
      ? await isSellable(kind, version, () => recallCases({ kind, clock: deps.clock }, version))
      : unknown;
    return readiness.ready ? await deps.askCaps(version) : readiness;
  } catch (error) {
    deps.log.error({ err: error, resourceId: version.resourceId }, 'readiness could not be asked');
    return { ready: false, cause: 'internal: Whether this can run could not be found out.', retryAfterSeconds: 60 };
  }
}

async function stopSale(
  deps: MemoryDeps,
  version: PublishedVersion,
  { cause, retryAfterSeconds, lacksKey }: Readiness & { ready: false },
): Promise<void> {
  const { resourceId, versionId, ownerId } = version;
  if (retryAfterSeconds !== undefined) {
    return;
  }
  try {
    await deps.pause({ resourceId, versionId, ownerId, by: lacksKey ? 'key' : 'readiness', cause });
  } catch (err) {
    // Its calls are refused either way; the next one tries again.
    deps.log.warn({ err, resourceId }, 'a resource that is not ready could not be paused');
  }
}
