import { beforeAll, expect, test } from 'vitest';
import { noteCommits, type NotedCommit } from './support/note-commits.ts';
import { send, useWorld } from './support/server-world.ts';
import type { Creator } from './support/start-app.ts';

/* What the commits of calls wait for (docs/decisions/0051), and what kill -9 leaves of those that wait for no disk. */
const world = useWorld();
let noted: { list(): Promise<NotedCommit[]> };

beforeAll(async () => {
  noted = await noteCommits(world.current.databaseUrl);
});

const LOG = 'x402_prompt_template_usage_logs';

/** @returns the id of the call; null: the connection broke before an answer. */
async function callUnpaid(url: string, headers: Record<string, string>): Promise<string | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify({ topic: 'rain' }),
    });
    expect(response.status).toBe(200);
    const { receipt } = (await response.json()) as { receipt: { callId: string } };
    return receipt.callId;
  } catch (error) {
    if (error instanceof TypeError) {
      return null;
    }
    throw error;
  }
}

/** @returns headers of the owner's own calls, by an API key. */
async function toOwner(creator: Creator): Promise<Record<string, string>> {
  const { body } = await creator.call('POST', '/api/user/api-keys', { label: 'own', scopes: ['resources:write'] });
  return { Authorization: `Bearer ${String(body['secret'])}`, 'X-Owner-Test': 'true' };
}

test('only the log of a call that nobody pays is committed without waiting for the disk', async () => {
  const server = await world.current.startServer();
  const creator = await world.current.makeCreator(server, 'ada');
  const { url } = await creator.publish({ slug: 'essay' });
  const free = await creator.publish({ slug: 'free', priceUsdc: '0' });
  const buyer = await world.current.makeBuyer(url, 'seas');

  const [own, given] = [await callUnpaid(url, await toOwner(creator)), await callUnpaid(free.url, {})];
  const paid = await send(url, buyer);
  expect(paid).toMatchObject({ status: 200, body: { receipt: { callId: expect.any(String) } } });
  const paidId = (paid?.body['receipt'] as { callId: string } | undefined)?.callId ?? '';
  await expect.poll(async () => isNoted(await noted.list(), 'calls', paidId)).toBe(true);

  const all = await noted.list();
  const unsafe = all.filter(({ synchronousCommit }) => synchronousCommit !== 'on');
  expect(unsafe.filter(({ table }) => table !== LOG)).toEqual([]);
  expect(unsafe).toEqual(
    expect.arrayContaining([own, given].map((callId) => ({ table: LOG, callId, synchronousCommit: 'off' }))),
  );
  expect(all.filter(({ callId }) => callId === paidId)).toEqual(
    ['calls', 'ledger_entries', LOG].map((table) => ({ table, callId: paidId, synchronousCommit: 'on' })),
  );
  await server.stop();
});

test('kill -9 right after an answer: no call that was answered without a payment is missing from the log', async () => {
  const server = await world.current.startServer({ OWNER_CALLS_PER_MINUTE: '100000' });
  const creator = await world.current.makeCreator(server, 'bob');
  const { url } = await creator.publish({ slug: 'essay' });
  const headers = await toOwner(creator);
  const answered: string[] = [];
  let killed: Promise<void> | undefined;
  const callOn = async (): Promise<void> => {
    for (let callId = await callUnpaid(url, headers); callId !== null; callId = await callUnpaid(url, headers)) {
      answered.push(callId);
      if (answered.length === 40) {
        killed = server.kill();
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, callOn));
  await killed;

  const { rows } = await world.current.database.system.query<{ call_id: string }>(
    `SELECT call_id FROM ${LOG} WHERE call_id = ANY ($1) AND status = 'success' AND is_test`,
    [answered],
  );
  expect(answered.length).toBeGreaterThanOrEqual(40);
  expect(rows.map((row) => row.call_id).toSorted()).toEqual(answered.toSorted());
});

function isNoted(all: readonly NotedCommit[], table: string, callId: string): boolean {
  return all.some((one) => one.table === table && one.callId === callId);
}
