import pg from 'pg';

interface DatabaseFacts {
  version: string;
  majorVersion: number;
  canMakeRoles: boolean;
}

/** Connects as the migrations do and says what they will meet. Throws when it cannot connect. */
export async function checkDatabase(url: string): Promise<DatabaseFacts> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ version: string; number: number; can: boolean }>(
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
              rolsuper OR rolcreaterole AS can
       FROM pg_roles WHERE rolname = current_user`,
    );
    const row = rows[0];
    return {
      version: row?.version ?? 'unknown',
      majorVersion: Math.floor((row?.number ?? 0) / 10_000),
      canMakeRoles: row?.can ?? false,
    };
  } finally {
    await client.end();
  }
}
