import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, test } from 'vitest';
import { systemClock } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { masterKeyFromText } from './master-key.ts';
import { openVault } from './open-vault.ts';

const database = useTestDatabase();

test('processes that start at once on a new database open the same vault', async () => {
  const masterKey = masterKeyFromText(randomBytes(32).toString('hex'));
  const open = () => openVault({ database: database.current, masterKey, clock: systemClock });
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  for (let round = 0; round < 40; round += 1) {
    const vaults = await Promise.all(Array.from({ length: 8 }, open));
    expect(new Set(vaults.map((vault) => vault.deriveKey('sessions').toString('hex'))).size).toBe(1);
    await owner.query('TRUNCATE vault_master_keys CASCADE');
  }
  await owner.end();
});
