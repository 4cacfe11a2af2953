import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** Runs `during` while no ledger entry can be written, as on a full disk. */
export function withoutLedger<T>(databaseUrl: string, during: () => Promise<T>): Promise<T> {
  return withoutWriting(databaseUrl, 'INSERT ON ledger_entries FOR EACH ROW', during);
}

/** Runs `during` while the database refuses a change; `change` follows BEFORE in CREATE TRIGGER. */
export async function withoutWriting<T>(databaseUrl: string, change: string, during: () => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: databaseUrl });
  await owner.connect();
  const name = `refuse_${randomBytes(8).toString('hex')}`;
  await owner.query(
    `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk full'; END $$`,
  );
  await owner.query(`CREATE TRIGGER ${name} BEFORE ${change} EXECUTE FUNCTION ${name}()`);
  try {
    return await during();
  } finally {
    await owner.query(`DROP FUNCTION ${name}() CASCADE`);
    await owner.end();
  }
}
