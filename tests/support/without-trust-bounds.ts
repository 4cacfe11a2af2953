import pg from 'pg';

/** The control of an attack: calls that are made during `during` do not count as work on trust, so nothing bounds it. */
export async function withoutTrustBounds<T>(databaseUrl: string, during: () => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: databaseUrl });
  await owner.connect();
  await owner.query(
    `CREATE FUNCTION forget_trust() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.trust_usd := NULL; RETURN NEW; END $$`,
  );
  await owner.query('CREATE TRIGGER forget_trust BEFORE INSERT ON calls FOR EACH ROW EXECUTE FUNCTION forget_trust()');
  try {
    return await during();
  } finally {
    await owner.query('DROP FUNCTION forget_trust() CASCADE');
    await owner.end();
  }
}
