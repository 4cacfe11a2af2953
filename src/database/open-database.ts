import pg from 'pg';

/** A connection with a transaction open on it. */
export type Tx = pg.PoolClient;

export interface Database {
  /**
   * Role farebox_system, for protocols (the paid call, sign-in) and jobs: no user stands behind it.
   * Row-level security binds it to what the migrations' `… TO farebox_system` policies allow.
   */
  system: pg.Pool;
  /** One transaction as role farebox_app: row-level security shows only what belongs to `userId`. */
  asUser<T>(userId: string, run: (tx: Tx) => Promise<T>): Promise<T>;
  /** One transaction on `system`. */
  transaction<T>(run: (tx: Tx) => Promise<T>): Promise<T>;
  /** The connection string, for libraries that open their own connections (durable jobs, listen). */
  url: string;
  close(): Promise<void>;
}

interface OpenOptions {
  url: string;
  systemConnections?: number;
  userConnections?: number;
  onError?: (error: Error) => void;
}

/** Opens the two pools. Connects lazily: the first query reports an unreachable database. */
export function openDatabase(options: OpenOptions): Database {
  const onError = options.onError ?? (() => {});
  const { url } = options;
  const system = openPool({ url, role: 'farebox_system', max: options.systemConnections ?? 16, onError });
  const users = openPool({ url, role: 'farebox_app', max: options.userConnections ?? 8, onError });
  return {
    system,
    url,
    transaction: (run) => inTransaction(system, run),
    asUser: (userId, run) =>
      inTransaction(users, async (tx) => {
        await tx.query(`SELECT set_config('farebox.user_id', $1, true)`, [userId]);
        return run(tx);
      }),
    close: async () => {
      await Promise.all([system.end(), users.end()]);
    },
  };
}

interface PoolOptions {
  url: string;
  role: string;
  max: number;
  onError: (error: Error) => void;
}

function openPool({ url, role, max, onError }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    options: `-c role=${role} -c timezone=UTC`,
    connectionTimeoutMillis: 10_000,
    application_name: role,
  });
  return surviveBroken(pool, onError);
}

/**
 * Reports each connection that breaks, idle or in use. The pool itself listens only to idle ones,
 * and an error that nobody listens to ends the process.
 */
export function surviveBroken(pool: pg.Pool, onError: (error: Error) => void): pg.Pool {
  pool.on('connect', (client) => client.on('error', onError));
  // The pool repeats what its idle connections reported already.
  return pool.on('error', () => {});
}

async function inTransaction<T>(pool: pg.Pool, run: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await run(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
