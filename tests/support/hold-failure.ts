import pg from 'pg';

interface HeldFailure {
  /** How often a request has tried to claim a payment of the wallet. */
  countClaims(): Promise<number>;
  /** Lets the call fail, and holds nothing more. */
  release(): Promise<void>;
}

const LOCK = 402_402_402;

/** No call of this wallet becomes `failed` before it is released: requests that come until then meet a run. */
export async function holdFailure(databaseUrl: string, payer: string): Promise<HeldFailure> {
  const owner = new pg.Client({ connectionString: databaseUrl });
  await owner.connect();
  const ofPayer = `NEW.payer = ${pg.escapeLiteral(payer.toLowerCase())}`;
  await owner.query(`
    SELECT pg_advisory_lock(${LOCK});
    CREATE SEQUENCE test_claims MINVALUE 0;
    CREATE FUNCTION test_count_claim() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN PERFORM nextval('test_claims'); RETURN NEW; END $$;
    CREATE FUNCTION test_hold_failure() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_advisory_xact_lock_shared(${LOCK}); RETURN NEW; END $$;
    SELECT nextval('test_claims');
    CREATE TRIGGER test_count_claim BEFORE INSERT ON calls FOR EACH ROW WHEN (${ofPayer})
      EXECUTE FUNCTION test_count_claim();
    CREATE TRIGGER test_hold_failure BEFORE UPDATE ON calls FOR EACH ROW WHEN (NEW.state = 'failed' AND ${ofPayer})
      EXECUTE FUNCTION test_hold_failure()`);
  return {
    countClaims: async () => {
      const { rows } = await owner.query<{ last: string }>('SELECT last_value::text AS last FROM test_claims');
      return Number(rows[0]?.last);
    },
    release: async () => {
      // First the lock: dropping a trigger waits for whoever is held by it.
      await owner.query(`SELECT pg_advisory_unlock(${LOCK})`);
      await owner.query(`
        DROP TRIGGER test_hold_failure ON calls;
        DROP TRIGGER test_count_claim ON calls;
        DROP FUNCTION test_hold_failure, test_count_claim;
        DROP SEQUENCE test_claims`);
      await owner.end();
    },
  };
}
