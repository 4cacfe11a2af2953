import type { Database } from '#database/index.ts';
import { sha256Hex, type Clock, type Log } from '#kit/index.ts';
import { announceChange } from '#vault/index.ts';
import { checkGiven } from './check-given.ts';
import type { ProviderClients } from './integration-service.ts';
import { openRouter } from './openrouter.ts';

interface HealthDeps {
  database: Pick<Database, 'system' | 'transaction'>;
  clients: ProviderClients;
  clock: Clock;
  log: Pick<Log, 'error' | 'warn'>;
  apiKey: string;
}

const KEEP_MS = 2_000;
/** After a call that met a refusal: most keys are not told the balance of their account, so only another call can see its end. */
const CALL_MS = 60_000;
/** Beyond the next check (src/plugins.ts), which ends it or finds it again. */
const CHECK_MS = 6 * 60_000;
const MAX_PROBLEM = 300;

const PUT = `
  INSERT INTO platform_key_outages AS outage (key_hash, problem, until, found_by) VALUES ($1, $2, $3, $4)
  ON CONFLICT (key_hash) DO UPDATE SET problem = excluded.problem, until = excluded.until, found_by = excluded.found_by
    WHERE outage.until < excluded.until`;
const END = `DELETE FROM platform_key_outages WHERE key_hash = $1 AND (found_by = 'check' OR $2)`;

/**
 * Whether the operator's OpenRouter key works: found by calls and by looking at it from time to time, and kept where every
 * process and the next start finds it. What is wrong is the operator's matter and told in the log only.
 */
export function openPlatformHealth({ database, clients, clock, log, apiKey }: HealthDeps) {
  const keyHash = sha256Hex(apiKey);
  let known: { until: Promise<number>; readAt: number } | null = null;
  const read = async (): Promise<number> => {
    const { rows } = await database.system.query<{ until: Date }>(
      'SELECT until FROM platform_key_outages WHERE key_hash = $1',
      [keyHash],
    );
    return rows[0]?.until.getTime() ?? 0;
  };
  const recall = (): Promise<number> => {
    if (known === null || clock.now() - known.readAt > KEEP_MS) {
      const until = read();
      const entry = { until, readAt: clock.now() };
      known = entry;
      until.catch(() => {
        known = known === entry ? null : known;
      });
    }
    return known.until;
  };
  /** Every process forgets what it held for ready, as after a change of any key. */
  const change = async (sql: string, values: unknown[]): Promise<void> => {
    await database.transaction(async (tx) => {
      const { rowCount } = await tx.query(sql, values);
      if ((rowCount ?? 0) > 0) {
        await announceChange(tx, `${openRouter.name}:*platform`);
      }
    });
    known = null;
  };
  const note = async (problem: string, foundBy: 'call' | 'check'): Promise<void> => {
    const told = problem.replaceAll(apiKey, '…').slice(0, MAX_PROBLEM);
    log.error(
      { problem: told, foundBy },
      "the operator's OpenRouter key does not work: what runs on it is not offered",
    );
    const until = new Date(clock.now() + (foundBy === 'call' ? CALL_MS : CHECK_MS));
    await change(PUT, [keyHash, told, until, foundBy]);
  };
  return {
    /** Seconds until it is tried again; null where nothing is known to stand against it. A few seconds old at most. */
    findOutage: async (): Promise<number | null> => {
      const leftMs = (await recall()) - clock.now();
      return leftMs > 0 ? Math.ceil(leftMs / 1000) : null;
    },
    /** What is wrong with it, as far as is known; for the operator. */
    findProblem: async (): Promise<string | null> => {
      const { rows } = await database.system.query<{ problem: string }>(
        'SELECT problem FROM platform_key_outages WHERE key_hash = $1 AND until > $2',
        [keyHash, new Date(clock.now())],
      );
      return rows[0]?.problem ?? null;
    },
    /** A call met a refusal of the key. */
    report: (problem: string): Promise<void> => note(problem, 'call'),
    /** Asks the provider. One that cannot be asked changes nothing. Never rejects. */
    check: async (): Promise<void> => {
      try {
        const checked = await checkGiven({ clients }, openRouter, { apiKey });
        if (checked.verdict === 'refused') {
          await note(checked.detail, 'check');
        } else if (checked.verdict === 'good') {
          await change(END, [keyHash, checked.hasCredit === true]);
        }
      } catch (err) {
        log.warn({ err }, "the operator's OpenRouter key could not be looked at");
      }
    },
  };
}
