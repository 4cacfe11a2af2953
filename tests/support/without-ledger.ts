import pg from 'pg';

/** Runs `during` while no ledger entry can be written, as on a full disk. */
export function withoutLedger<T>(databaseUrl: string, during: () => Promise<T>): Promise<T> {
  return withoutWriting(databaseUrl, 'INSERT ON ledger_entries FOR EACH ROW', during);
}

/** Runs `during` while the database refuses a change; `change` follows BEFORE in CREATE TRIGGER. */
export async function withoutWriting<T>(databaseUrl: string, change: string, during: () => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: databaseUrl });
  await owner.connect();
  await owner.query(
    `CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk full'; END $$`,
  );
  await owner.query(`CREATE TRIGGER refuse_change BEFORE ${change} EXECUTE FUNCTION refuse_change()`);
  try {
    return await during();
  } finally {
    await owner.query('DROP FUNCTION refuse_change() CASCADE');
    await owner.end();
  }
}
