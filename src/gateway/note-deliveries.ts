import type { GatewayDeps } from './gateway-deps.ts';
import { transitionAll } from './transitions.ts';

/** Long enough to take several together under load, and far below the deadline after which a call counts as owed. */
const GATHER_MS = 20;

export interface Deliveries {
  /** The answer of a paid call has left: settled -> delivered, or owed -> delivered where it was lost before. */
  note(callId: string): void;
  /** Writes down what was noted so far. */
  flush(): Promise<void>;
}

/** Nobody waits for a delivery to be written down, so those of a moment share one statement. */
export function noteDeliveries({ database, log }: Pick<GatewayDeps, 'database' | 'log'>): Deliveries {
  let noted = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  const write = async (callIds: readonly string[]): Promise<void> => {
    try {
      const delivered = new Set(await transitionAll(database.system, { callIds, name: 'deliver' }));
      const others = callIds.filter((callId) => !delivered.has(callId));
      if (others.length > 0) {
        await transitionAll(database.system, { callIds: others, name: 'redeliver' });
      }
    } catch (error) {
      log.error({ err: error, callIds }, 'deliveries could not be noted');
    }
  };
  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const callIds = [...noted];
    noted = new Set();
    if (callIds.length > 0) {
      writing = Promise.all([writing, write(callIds)]);
    }
    await writing;
  };
  return {
    note: (callId) => {
      noted.add(callId);
      timer ??= setTimeout(() => void flush(), GATHER_MS);
    },
    flush,
  };
}
