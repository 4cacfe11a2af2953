import pg from 'pg';

interface DatabaseFacts {
  version: string;
  majorVersion: number;
  user: string;
  /** The roles of the migrations can be created, or are there and under the user's administration. */
  canMakeRoles: boolean;
}

/** Connects as the migrations do and says what they will meet. Throws when it cannot connect. */
export async function checkDatabase(url: string): Promise<DatabaseFacts> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ version: string; number: number; user: string; can: boolean }>(
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
              current_user AS user,
              me.rolsuper OR (me.rolcreaterole OR count(needed) = 2)
                AND coalesce(bool_and(pg_has_role(needed.oid, 'MEMBER WITH ADMIN OPTION')), true) AS can
       FROM pg_roles me LEFT JOIN pg_roles needed ON needed.rolname IN ('farebox_app', 'farebox_system')
       WHERE me.rolname = current_user GROUP BY me.rolsuper, me.rolcreaterole`,
    );
    const row = rows[0];
    return {
      version: row?.version ?? 'unknown',
      majorVersion: Math.floor((row?.number ?? 0) / 10_000),
      user: row?.user ?? 'unknown',
      canMakeRoles: row?.can ?? false,
    };
  } finally {
    await client.end();
  }
}
