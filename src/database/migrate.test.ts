import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { newId, sha256Hex } from '#kit/index.ts';
import { describeSchema } from '../../tests/support/describe-schema.ts';
import landed from '../../tests/support/landed-migrations.json' with { type: 'json' };
import { useDatabaseOf } from '../../tests/support/older-database.ts';

const root = join(import.meta.dirname, '../..');
const migrations = join(root, 'migrations');
const rewritten = join(root, 'tests/support/rewritten-migrations');
/** What had landed when two files had been rewritten, beside all up to 0028. */
const LATER = new Set(['0031', '0032', '0033', '0034', '0035', '0037', '0039', '0044']);

const listMigrations = async (): Promise<string[]> => (await readdir(migrations)).sort();

describe('a migration that has landed', () => {
  test('never changes, and is listed with its digest', async () => {
    const last = Object.keys(landed).sort().at(-1) ?? '';
    const digests = Object.fromEntries(
      await Promise.all(
        (await listMigrations())
          .filter((file) => file <= last)
          .map(async (file) => [file, sha256Hex(await readFile(join(migrations, file), 'utf8'))] as const),
      ),
    );
    expect(digests).toEqual(landed);
  });
});

describe('databases from before and from while two migrations were rewritten', () => {
  const fresh = useDatabaseOf('fresh', async () => (await listMigrations()).map((file) => join(migrations, file)));
  const before = useDatabaseOf('before', async () =>
    (await listMigrations()).filter((file) => file < '0029').map((file) => join(migrations, file)),
  );
  const meanwhile = useDatabaseOf('meanwhile', async () => {
    const rewrittenFiles = await readdir(rewritten);
    return (await listMigrations())
      .filter((file) => file < '0029' || LATER.has(file.slice(0, 4)))
      .map((file) => join(rewrittenFiles.includes(file) ? rewritten : migrations, file));
  });
  const [spent, unknown] = [newId(), newId()];

  beforeAll(async () => {
    const { system } = before.current;
    await system.query(
      `INSERT INTO platform_key_uses (id, owner_id, day, reserved_usd, cost_usd) VALUES
         ($1, 'ada', '2026-11-20', 0.5, 0.1), ($2, 'ada', '2026-11-20', 0.25, NULL), ($3, 'ada', '2026-11-21', 0.5, 0.2)`,
      [spent, unknown, newId()],
    );
    await system.query(
      `INSERT INTO users (id, name, email, username)
       SELECT 'user_' || name, name, name || '@example.com', name FROM unnest('{told,untold}'::text[]) name`,
    );
    for (const [name, snapshot] of [
      ['told', '{"creditsUsd": "3"}'],
      ['untold', '{}'],
    ]) {
      await before.current.asUser(`user_${name}`, (tx) =>
        tx.query(
          `INSERT INTO user_openrouter_integrations (owner_id, id, sealed_key, key_hash, last_four, is_enabled, is_valid,
             snapshot, last_checked_at, created_at, updated_at)
           VALUES ($1, $2, '', '', '', true, true, $3, '2026-11-20', now(), now())`,
          [`user_${name}`, newId(), snapshot],
        ),
      );
    }
    await before.update();
    await meanwhile.update();
  });

  test('both end with the schema of a new one', async () => {
    const expected = await describeSchema(fresh.url);
    expect(await describeSchema(before.url)).toEqual(expected);
    expect(await describeSchema(meanwhile.url)).toEqual(expected);
    expect(Object.values(expected).every((lines) => lines.length > 0)).toBe(true);
  });

  test('neither is migrated again by the next start', async () => {
    expect([await before.update(), await meanwhile.update()]).toEqual([[], []]);
  });

  test('what ran on the operator’s key stays counted, at its worst where its end is not known', async () => {
    const days = await before.current.system.query(
      `SELECT day::text, spent_usd::float8 AS spent, reserved_usd::float8 AS reserved FROM platform_key_days ORDER BY day`,
    );
    expect(days.rows).toEqual([
      { day: '2026-11-20', spent: 0.1, reserved: 0.25 },
      { day: '2026-11-21', spent: 0.2, reserved: 0 },
    ]);
    const runs = await before.current.system.query('SELECT id, has_begun FROM platform_key_runs');
    expect(runs.rows).toEqual([{ id: unknown, has_begun: true }]);
  });

  test('a key is due at once, and its money was last told of only where it was told', async () => {
    const { rows } = await before.current.system.query(
      `SELECT owner_id, last_credit_check::date::text AS told, next_check_at <= now() AS due
       FROM user_openrouter_integrations ORDER BY 1`,
    );
    expect(rows).toEqual([
      { owner_id: 'user_told', told: '2026-11-20', due: true },
      { owner_id: 'user_untold', told: null, due: true },
    ]);
  });
});
