import pg from 'pg';

/**
 * What moves by itself, whatever a test does: noted refusals, allowances, heartbeats; what the jobs of notices have looked at
 * (`notice_states`, whose notices are not left out) and what providers ask (`ai_model_endpoints`), which jobs write alone and
 * when their time has come.
 */
const MOVING =
  /^(durable\..*|public\.(audit_log|rate_limits|auth_rate_limits|gateway_processes|ai_model_endpoints|durable_\w+|pgmigrations|notice_states))$/;

/** `schema.table` -> its rows, each as a JSON object. */
export type Tables = ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]>;

/** Every row of every table of the database, past all row-level security. */
export async function readTables(databaseUrl: string): Promise<Tables> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows: found } = await client.query<{ name: string }>(
      `SELECT schemaname || '.' || tablename AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
    );
    const tables = new Map<string, Record<string, unknown>[]>();
    for (const { name } of found) {
      const { rows } = await client.query<{ row: Record<string, unknown> }>(
        `SELECT to_jsonb(t) AS row FROM ${name.split('.').map(pg.escapeIdentifier).join('.')} t`,
      );
      tables.set(
        name,
        rows.map(({ row }) => row),
      );
    }
    return tables;
  } finally {
    await client.end();
  }
}

/** Tables whose rows differ between the two readings; the time of a key's last use does not count. */
export function changedTables(before: Tables, after: Tables): string[] {
  return [...after.keys()].filter((name) => !MOVING.test(name) && toText(before, name) !== toText(after, name));
}

function toText(tables: Tables, name: string): string {
  const rows = tables.get(name) ?? [];
  return rows
    .map((row) => JSON.stringify({ ...row, last_used_at: undefined }))
    .sort()
    .join('\n');
}
