import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useTestDatabase } from './support/test-database.ts';

/*
 * Every table with an owner_id, those of later migrations included: user A, as the role farebox_app, can neither see, change
 * nor forge a row of user B. The rows are made from the catalogue; the constraints of the cloned database are dropped first,
 * because they would demand meaningful values and protect nothing here.
 */
const database = useTestDatabase();
const [ALICE, BOB] = ['rls-alice', 'rls-bob'];
const DENIED = '42501';
let admin: pg.Client;

interface Table {
  name: string;
  isEnabled: boolean;
  isForced: boolean;
}

interface Column {
  name: string;
  type: string;
  category: string;
  mayUpdate: boolean;
}

let tables: Table[] = [];

beforeAll(async () => {
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  tables = await listOwnedTables();
  await dropConstraints();
  for (const table of tables) {
    await admin.query(`ALTER TABLE ${table.name} NO FORCE ROW LEVEL SECURITY`);
    for (const owner of [ALICE, BOB]) {
      await admin.query(await toInsert(table.name), [owner]);
    }
    await admin.query(`ALTER TABLE ${table.name} FORCE ROW LEVEL SECURITY`);
  }
});
afterAll(() => admin.end());

async function listOwnedTables(): Promise<Table[]> {
  const { rows } = await admin.query<Table>(
    `SELECT c.oid::regclass::text AS name, c.relrowsecurity AS "isEnabled", c.relforcerowsecurity AS "isForced"
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'owner_id' AND NOT a.attisdropped
      WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 1`,
  );
  return rows;
}

async function dropConstraints(): Promise<void> {
  const { rows } = await admin.query<{ table: string; name: string }>(
    `SELECT conrelid::regclass::text AS table, quote_ident(conname) AS name FROM pg_constraint
      WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace AND conparentid = 0`,
  );
  for (const { table, name } of rows) {
    await admin.query(`ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS ${name} CASCADE`);
    await admin.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  }
}

async function listColumns(table: string): Promise<Column[]> {
  const { rows } = await admin.query<Column>(
    `SELECT quote_ident(a.attname) AS name, format_type(a.atttypid, a.atttypmod) AS type, t.typcategory AS category,
            has_column_privilege('farebox_app', a.attrelid, a.attnum, 'UPDATE') AS "mayUpdate"
       FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''`,
    [table],
  );
  return rows;
}

/** One row for the owner $1, with some value of the right type in each column. */
async function toInsert(table: string): Promise<string> {
  const columns = await listColumns(table);
  const values = columns.map((column) => (column.name === 'owner_id' ? '$1' : toValue(column)));
  return `INSERT INTO ${table} (${columns.map(({ name }) => name).join(', ')}) VALUES (${values.join(', ')})`;
}

function toValue({ type, category }: Column): string {
  if (category === 'E') {
    return `(enum_range(NULL::${type}))[1]`;
  }
  const byCategory: Record<string, string> = {
    A: `'{}'`,
    B: 'false',
    D: 'now()',
    N: '(random() * 1e6)::int',
    T: `'1 second'`,
    V: `B'0'`,
  };
  const byType: Record<string, string> = { uuid: 'gen_random_uuid()', json: `'{}'`, jsonb: `'{}'`, bytea: `'\\x00'` };
  return `${byType[type] ?? byCategory[category] ?? 'gen_random_uuid()::text'}::${type}`;
}

/** Rows touched, or `denied`. Always rolled back. */
async function asAlice(sql: string, values: unknown[] = []): Promise<number | 'denied'> {
  const stop = new Error('rolled back on purpose');
  let touched = 0;
  try {
    await database.current.asUser(ALICE, async (tx) => {
      touched = (await tx.query(sql, values)).rowCount ?? 0;
      throw stop;
    });
  } catch (error) {
    if ((error as { code?: string }).code === DENIED) {
      return 'denied';
    }
    if (error !== stop) {
      throw error;
    }
  }
  return touched;
}

type Check = (table: string) => Promise<string | null>;

const seesNothingOfB: Check = async (table) => {
  const seen = await asAlice(`SELECT 1 FROM ${table} WHERE owner_id IS DISTINCT FROM $1`, [ALICE]);
  return seen === 0 || seen === 'denied' ? null : `A sees ${seen} rows of others`;
};

const nobodySeesAnything: Check = async (table) => {
  const seen = await database.current
    .asUser('', async (tx) => (await tx.query(`SELECT 1 FROM ${table}`)).rowCount)
    .catch((error: { code?: string }) => (error.code === DENIED ? 0 : Promise.reject(error)));
  return seen === 0 ? null : `nobody sees ${seen} rows`;
};

/** Without WHERE, so that a missing right to read cannot pass for safety: A may touch one row, which is A's own. */
const changesNothingOfB: Check = async (table) => {
  for (const column of (await listColumns(table)).filter(({ name, mayUpdate }) => mayUpdate && name !== 'owner_id')) {
    const changed = await asAlice(`UPDATE ${table} SET ${column.name} = ${toValue(column)}`);
    if (changed !== 'denied' && changed > 1) {
      return `A changes ${column.name} of ${changed} rows`;
    }
  }
  return null;
};

const deletesNothingOfB: Check = async (table) => {
  const deleted = await asAlice(`DELETE FROM ${table}`);
  return deleted === 'denied' || deleted <= 1 ? null : `A deletes ${deleted} rows`;
};

const forgesNothing: Check = async (table) => {
  const inserted = await asAlice(await toInsert(table), [BOB]);
  return inserted === 'denied' ? null : 'A inserts a row of B';
};

const givesNothingAway: Check = async (table) => {
  const given = await asAlice(`UPDATE ${table} SET owner_id = $1`, [BOB]);
  return given === 'denied' || given === 0 ? null : 'A gives a row to B';
};

const checks = {
  seesNothingOfB,
  nobodySeesAnything,
  changesNothingOfB,
  deletesNothingOfB,
  forgesNothing,
  givesNothingAway,
};

describe('row-level security of every table with an owner', () => {
  test('the check of row-level security finds the tables with an owner', () => {
    const names = tables.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['sessions', 'auth_accounts', 'api_keys', 'vault_secrets', 'vault_data_keys']),
    );
  });

  test('row-level security is enabled and forced on every table with an owner', () => {
    expect(tables.filter((table) => !table.isEnabled || !table.isForced)).toEqual([]);
  });

  test.each(Object.keys(checks) as (keyof typeof checks)[])('%s', async (name) => {
    const wrong: string[] = [];
    for (const table of tables) {
      const problem = await checks[name](table.name);
      wrong.push(...(problem === null ? [] : [`${table.name}: ${problem}`]));
    }
    expect(wrong).toEqual([]);
  });

  test('users see their own rows where their role may read, so that the other checks are not empty', async () => {
    const seen = new Map<string, number | 'denied'>();
    for (const { name } of tables) {
      seen.set(name, await asAlice(`SELECT 1 FROM ${name}`));
    }
    expect(new Set(seen.values())).toEqual(new Set([1, 'denied']));
    const own = ['api_keys', 'user_openrouter_integrations', 'vault_secrets'].map((name) => seen.get(name));
    expect(own).toEqual([1, 1, 1]);
  });

  test('every check of row-level security finds a table that is open', async () => {
    await admin.query('CREATE TABLE rls_open (owner_id text, note text)');
    await admin.query('GRANT ALL ON rls_open TO farebox_app');
    await admin.query('INSERT INTO rls_open (owner_id) VALUES ($1), ($2)', [ALICE, BOB]);
    const found = await Promise.all(Object.values(checks).map((check) => check('rls_open')));
    const listed = (await listOwnedTables()).find(({ name }) => name === 'rls_open');
    await admin.query('DROP TABLE rls_open');
    expect(found).not.toContain(null);
    expect(listed).toMatchObject({ isEnabled: false, isForced: false });
  });
});

test('a table without row-level security is never writable by a user', async () => {
  const { rows } = await admin.query(
    `SELECT c.relname FROM pg_class c
      WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relrowsecurity
        AND has_table_privilege('farebox_app', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')`,
  );
  expect(rows).toEqual([]);
});

test('a user sees their own account and no other', async () => {
  await admin.query(
    `INSERT INTO users (id, name, email, username) SELECT u, u, u || '@example.com', u FROM unnest($1::text[]) AS u`,
    [[ALICE, BOB]],
  );
  const seen = await database.current.asUser(ALICE, async (tx) => (await tx.query('SELECT id FROM users')).rows);
  expect(seen).toEqual([{ id: ALICE }]);
  expect(await asAlice(`UPDATE users SET name = 'x'`)).toBe('denied');
  expect(await asAlice('DELETE FROM users')).toBe('denied');
});
