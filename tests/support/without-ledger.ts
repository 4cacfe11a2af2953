import pg from 'pg';

/** Runs `during` while no ledger entry can be written, as on a full disk. */
export async function withoutLedger<T>(databaseUrl: string, during: () => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: databaseUrl });
  await owner.connect();
  await owner.query(
    `CREATE FUNCTION refuse_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk full'; END $$`,
  );
  await owner.query(
    'CREATE TRIGGER refuse_entry BEFORE INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION refuse_entry()',
  );
  try {
    return await during();
  } finally {
    await owner.query('DROP FUNCTION refuse_entry() CASCADE');
    await owner.end();
  }
}
