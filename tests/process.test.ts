import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createPublicClient, erc20Abi, http, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import { useDataFolder } from './support/data-folder.ts';
import { runFarebox, startByNpm, startServerChild, type ServerChild } from './support/server-child.ts';
import { buryTheDead, send, signFor, stateOf, untilAllClosed, type Buyer } from './support/server-world.ts';

/* What a person starts: one command, everything embedded. All starts work on one data folder, one after the other. */
const folder = useDataFolder();
const PATH = '/@demo/haiku';

function settings(): Record<string, string> {
  return { DATA_DIR: folder.path, PORT: '0' };
}

async function getJson(url: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function makeBuyer(server: ServerChild, topic: string): Promise<Buyer> {
  const account = privateKeyToAccount(generatePrivateKey());
  await fetch(`${server.url}/sandbox/faucet`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ address: account.address }),
  });
  return { account, topic, header: await signFor(server.url + PATH, account) };
}

/** Sends the payment and waits until the model is at work on it. */
async function sendUntilRunning(server: ServerChild, buyer: Buyer): Promise<{ answered: ReturnType<typeof send> }> {
  const answered = send(server.url + PATH, buyer);
  await folder.withDatabase(async (database) => {
    await expect.poll(() => stateOf(database, buyer), { timeout: 10_000, interval: 20 }).toBe('running');
  });
  return { answered };
}

async function expectChainAndLedgerAgree(server: ServerChild): Promise<void> {
  const { rpcUrl, asset } = (await getJson(`${server.url}/sandbox`)).body as {
    rpcUrl: string;
    asset: { address: Hex };
  };
  const chain = createPublicClient({ transport: http(rpcUrl) });
  const { rows } = await folder.withDatabase(({ system }) =>
    system.query<{ payee: Hex; booked: string }>(
      `SELECT split_part(account, ':', 2) AS payee, sum(amount_atomic)::text AS booked
         FROM ledger_entries WHERE amount_atomic > 0 GROUP BY 1`,
    ),
  );
  expect(rows).toHaveLength(1);
  for (const { payee, booked } of rows) {
    const args = [payee] as const;
    const held = await chain.readContract({ address: asset.address, abi: erc20Abi, functionName: 'balanceOf', args });
    expect(held).toBe(BigInt(booked));
  }
}

test('one command starts everything; the demo pays; a second start names the first', async () => {
  const server = await startServerChild(settings());
  expect(await getJson(`${server.url}/healthz`)).toMatchObject({ status: 200, body: { status: 'alive' } });
  expect(await getJson(`${server.url}/readyz`)).toMatchObject({ status: 200, body: { status: 'ready' } });
  expect((await stat(join(folder.path, 'master-key'))).mode & 0o777).toBe(0o600);
  expect(server.output()).not.toContain((await readFile(join(folder.path, 'master-key'), 'utf8')).trim());

  const { port } = new URL(server.url);
  const demo = await runFarebox(['demo'], { PORT: port });
  expect(demo.output).toMatch(
    /1\. Wallet.*2\. Faucet.*3\. Challenge.*4\. Signature.*5\. Answer.*6\. Receipt.*7\. Transaction.*8\. Balances/s,
  );
  expect(demo.output).toContain('10 -> 9.99 USDC');
  expect(demo.code).toBe(0);

  const second = await runFarebox(['serve'], settings());
  expect(second.output).toContain(`Another Farebox (process ${server.pid}) is running on the data folder`);
  expect(second.output).not.toMatch(/^\s+at /m);
  expect(second.code).toBe(1);

  const doctor = await runFarebox(['doctor'], { ...settings(), PORT: port });
  expect(doctor.output).toMatch(/database +PostgreSQL 18/);
  expect(await server.stop()).toBe(0);
  expect(await folder.listProcesses()).toEqual([]);
});

test('SIGTERM to npm finishes the paid call under way and leaves no process; the next start goes on', async () => {
  const first = await startByNpm(settings());
  const buyer = await makeBuyer(first, 'the last guest');
  const { answered } = await sendUntilRunning(first, buyer);
  first.terminate();
  expect(await answered).toMatchObject({
    status: 200,
    body: { receipt: { transaction: expect.stringMatching(/^0x/) } },
  });
  // Again, as npm and a terminal do: it must not cut the stop short.
  await first.stop();
  await expect.poll(() => folder.listProcesses(), { timeout: 15_000 }).toEqual([]);

  const second = await startServerChild(settings());
  const again = await send(second.url + PATH, buyer);
  expect(again).toMatchObject(await answered.then((answer) => ({ status: 200, body: answer?.body ?? {} })));
  const { rows } = await folder.withDatabase(({ system }) =>
    system.query('SELECT slug FROM x402_resources ORDER BY slug'),
  );
  expect(rows).toHaveLength(3);
  expect(new Set(rows.map(({ slug }) => slug)).size).toBe(3);
  await expectChainAndLedgerAgree(second);
  expect(await second.stop()).toBe(0);
  expect(await folder.listProcesses()).toEqual([]);
});

test('after kill -9 the chain and the database go on together, and nothing of the first start is left', async () => {
  const first = await startServerChild(settings());
  const [served, struck] = [await makeBuyer(first, 'the harbour'), await makeBuyer(first, 'the storm')];
  const before = await send(first.url + PATH, served);
  expect(before).toMatchObject({ status: 200 });
  const { answered } = await sendUntilRunning(first, struck);
  const left = await folder.listProcesses();
  expect(left.map(({ command }) => /watchdog|anvil|postgres/.exec(command)?.[0])).toEqual(
    expect.arrayContaining(['postgres', 'watchdog']),
  );
  await first.kill();
  expect(await answered).toBeNull();
  await folder.withDatabase((database) => buryTheDead(database));

  const second = await startServerChild(settings());
  const now = new Set((await folder.listProcesses()).map(({ pid }) => pid));
  expect(left.filter(({ pid }) => now.has(pid))).toEqual([]);
  await folder.withDatabase((database) => untilAllClosed(database));
  expect(await folder.withDatabase((database) => stateOf(database, struck))).toBe('failed');
  expect(await send(second.url + PATH, struck)).toMatchObject({ status: 200 });
  expect(await send(second.url + PATH, served)).toMatchObject({ status: 200, body: before?.body });
  await expectChainAndLedgerAgree(second);
  expect(await second.stop()).toBe(0);
  expect(await folder.listProcesses()).toEqual([]);
});

test('live mode says everything that it lacks at once', async () => {
  const { code, output } = await runFarebox(['serve'], { ...settings(), MODE: 'live' });
  expect(output).toMatch(/3 problems:.*MASTER_KEY: .*PUBLIC_URL: .*FACILITATOR_URLS or SETTLER_PRIVATE_KEYS: /s);
  expect(output).not.toMatch(/^\s+at /m);
  expect(code).toBe(78);
});

test('an unknown command is refused with the list of commands', async () => {
  const { code, output } = await runFarebox(['sever'], settings());
  expect(output).toMatch(/Unknown command "sever"\. Did you mean "serve"\?.*serve +start the server/s);
  expect(code).toBe(64);
});

test('the demo without a server says how to start one', async () => {
  const { code, output } = await runFarebox(['demo'], { PORT: '1' });
  expect(output).toMatch(/Nothing answers at http:\/\/127\.0\.0\.1:1\. .*npm start/);
  expect(code).toBe(1);
});

test('the doctor says how to mend a taken port, a dead database and a wrong RPC endpoint', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const { port } = squatter.address() as AddressInfo;
  const { code, output } = await runFarebox(['doctor'], {
    DATA_DIR: folder.path,
    PORT: String(port),
    DATABASE_URL: 'postgres://nobody:wrong@127.0.0.1:1/nothing',
    RPC_URLS: 'eip155:84532=http://127.0.0.1:1',
    SETTLER_PRIVATE_KEYS: generatePrivateKey(),
  });
  squatter.close();
  expect(output).toMatch(new RegExp(`port ${port}.*needed for the HTTP server, is taken.*\n +-> .*PORT=`));
  expect(output).toMatch(/BAD +database .*\n +-> .*DATABASE_URL/);
  expect(output).toMatch(/BAD +chain, settler .*\n +-> .*RPC_URLS/);
  expect(output).not.toContain('wrong');
  expect(code).toBe(1);
});
