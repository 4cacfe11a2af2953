import pg from 'pg';

export interface NotedCommit {
  table: string;
  callId: string;
  /** Of PostgreSQL, when the transaction that wrote the row was committed: `off` does not wait for its disk. */
  synchronousCommit: string;
}

/** Of the paid call, and of the log. */
const tables = [
  { name: 'calls', callId: 'id' },
  { name: 'ledger_entries', callId: 'call_id' },
  { name: 'x402_prompt_template_usage_logs', callId: 'call_id' },
];

/**
 * Notes with each row that is written what its commit waits for. Connections that are opened from now on wait for the disk
 * unless they say otherwise: the PostgreSQL of tests does not.
 * @param url of the database's owner.
 */
export async function noteCommits(url: string): Promise<{ list(): Promise<NotedCommit[]> }> {
  const name = decodeURIComponent(new URL(url).pathname.slice(1));
  const triggers = tables.map(
    (table) => `CREATE CONSTRAINT TRIGGER note_commit AFTER INSERT OR UPDATE ON ${table.name}
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_commit('${table.callId}');`,
  );
  await ask(
    url,
    `ALTER DATABASE "${name}" SET synchronous_commit = on;
    CREATE TABLE noted_commits (table_name text, call_id text, setting text);
    CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
      INSERT INTO noted_commits
      VALUES (TG_TABLE_NAME, to_jsonb(NEW) ->> TG_ARGV[0], current_setting('synchronous_commit'));
      RETURN NULL;
    END $$;
    ${triggers.join('\n')}`,
  );
  return {
    list: () =>
      ask(
        url,
        `SELECT DISTINCT table_name AS "table", call_id AS "callId", setting AS "synchronousCommit"
         FROM noted_commits ORDER BY 1, 2, 3`,
      ),
  };
}

async function ask(url: string, sql: string): Promise<NotedCommit[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<NotedCommit>(sql)).rows;
  } finally {
    await client.end();
  }
}
