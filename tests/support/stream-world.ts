import { randomBytes } from 'node:crypto';
import { parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAddress, type PrivateKeyAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { startFaultyRpc, type FaultyRpc } from './faulty-rpc.ts';
import { moveUsdc } from './move-usdc.ts';
import { openEvents } from './open-events.ts';
import { payFor, send } from './paid-request.ts';
import { makeAccount } from './pay.ts';
import { toPoem } from './scripted-drafts.ts';
import { delta, DONE, startScriptedUpstream, usageChunk, type ScriptedUpstream } from './scripted-upstream.ts';
import { useApp, type App, type Creator } from './start-app.ts';
import { useTestChain } from './test-chain.ts';

/** What the upstream sends, byte for byte, and what it does: stand still until it is let go on, or break the connection. */
export type Piece = string | { stand: Standing } | { cut: true };

export interface Standing {
  reached: Promise<void>;
  goOn(): void;
}

export const ended = [delta('', 'stop'), usageChunk(), DONE];

/** One payment for a resource of its own, sold at its first output. */
export interface StreamCall {
  url: string;
  id: string;
  topic: string;
  buyer: PrivateKeyAccount;
  payment: string;
  /** How the upstream answers this call from now on. */
  script(...pieces: readonly Piece[]): void;
  stand(): Standing;
  open(lastEventId?: string): ReturnType<typeof openEvents>;
  ask(): ReturnType<typeof send>;
  /** In atomic units, from the chain. */
  spent(): Promise<bigint>;
  runs(): number;
  untilLeft(): Promise<void>;
  untilState(state: string): Promise<void>;
  /** The last entry of the creator's usage log. */
  logged(): Promise<Record<string, unknown>>;
  /** As if the process that carries the call out had died; what is owed then is due at once. */
  loseProcess(): Promise<void>;
  letTimePass(): Promise<unknown>;
  /** The buyer's money goes elsewhere. */
  emptyWallet(): Promise<unknown>;
  /** What the payee of this call's resource alone has got. */
  earned(): Promise<bigint>;
}

export interface StreamWorld {
  app: App;
  rpc: FaultyRpc;
  makeCall(fields?: Record<string, unknown>): Promise<StreamCall>;
}

/** Call at the top of a test file: an app whose resources ask an upstream that says, call by call, what the test wants. */
export function useStreamWorld(): { readonly current: StreamWorld } {
  const chain = useTestChain();
  const environment: Record<string, string> = { TRUSTED_PROXY_HOPS: '1' };
  let upstream: ScriptedUpstream;
  let rpc: FaultyRpc;
  const scripts = new Map<string, { pieces: readonly Piece[]; runs: number; left: PromiseWithResolvers<void> }>();

  beforeAll(async () => {
    [upstream, rpc] = await Promise.all([startScriptedUpstream(), startFaultyRpc(chain.current.rpcUrl)]);
    upstream.script(async (response, { body }) => {
      const [topic = ''] = /topic-[0-9a-f]{12}/.exec(body) ?? [];
      const script = scripts.get(topic);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      response.once('close', () => !response.writableFinished && script?.left.resolve());
      if (script) {
        script.runs += 1;
        await sendPieces(script.pieces, response);
      }
    });
    const settlerKey = generatePrivateKey();
    await chain.current.fund(privateKeyToAddress(settlerKey), parseEther('10'));
    environment['UPSTREAM_ORIGINS'] = upstream.url;
    environment['RPC_URLS'] = `eip155:84532=${rpc.url}`;
    environment['SETTLER_PRIVATE_KEYS'] = settlerKey;
  });
  const app = useApp(environment);
  let creator: Creator;
  beforeAll(async () => {
    creator = await app.current.makeCreator('ada');
  });
  afterAll(() => Promise.all([upstream.close(), rpc.close()]));

  const publish = (fields: Record<string, unknown>) =>
    creator.publish({
      slug: `s-${randomBytes(5).toString('hex')}`,
      ...toPoem(upstream.url),
      ...fields,
    });
  const makeCall = async (fields: Record<string, unknown> = {}): Promise<StreamCall> => {
    const payTo = makeAccount().address;
    const { url, id } = await publish({ payTo, ...fields });
    const buyer = makeAccount();
    await chain.current.faucet.send(buyer.address);
    const payment = await payFor(buyer, url);
    const topic = `topic-${randomBytes(6).toString('hex')}`;
    const script = { pieces: [] as readonly Piece[], runs: 0, left: Promise.withResolvers<void>() };
    scripts.set(topic, script);
    const { system } = app.current.database;
    const payer = buyer.address.toLowerCase();
    // Each buyer comes from a network of its own, so that none is charged first for its neighbours.
    const from = { 'X-Forwarded-For': `2001:db8:${topic.slice(6, 10)}:${topic.slice(10, 14)}::1` };
    return {
      url,
      id,
      topic,
      buyer,
      payment,
      script: (...pieces) => {
        script.pieces = pieces;
      },
      stand: openStanding,
      open: (lastEventId) =>
        openEvents(url, {
          payment,
          topic,
          headers: { ...from, ...(lastEventId ? { 'Last-Event-ID': lastEventId } : {}) },
        }),
      ask: () => send(url, { payment, body: { topic }, headers: from }),
      spent: async () => 10_000_000n - (await chain.current.balanceAtomic(buyer.address)),
      earned: () => chain.current.balanceAtomic(payTo),
      runs: () => script.runs,
      untilLeft: () => script.left.promise,
      untilState: async (state) => {
        const text = 'SELECT state FROM calls WHERE payer = $1 ORDER BY created_at DESC LIMIT 1';
        const read = async () => (await system.query<{ state: string }>(text, [payer])).rows[0]?.state;
        // Several tests run at once, so `expect.poll` would not know whose it is.
        await vi.waitFor(async () => expect(await read()).toBe(state), { timeout: 30_000, interval: 50 });
      },
      logged: async () => {
        const { body } = await creator.call('GET', `/api/usage?resourceId=${id}`);
        return (body['items'] as Record<string, unknown>[])[0] ?? {};
      },
      loseProcess: async () => {
        await system.query('UPDATE calls SET process_id = gen_random_uuid() WHERE payer = $1', [payer]);
      },
      emptyWallet: () => moveUsdc(chain, { from: buyer.address }),
      letTimePass: () =>
        system.query(`UPDATE calls SET updated_at = updated_at - interval '1 hour' WHERE payer = $1`, [payer]),
    };
  };
  return {
    get current() {
      return { app: app.current, rpc, makeCall };
    },
  };
}

async function sendPieces(
  pieces: readonly Piece[],
  response: { write(piece: string): boolean; end(): void; destroy(): void },
): Promise<void> {
  for (const piece of pieces) {
    if (typeof piece !== 'string' && 'cut' in piece) {
      response.destroy();
      return;
    }
    if (typeof piece === 'string') {
      response.write(piece);
      // Each in a packet of its own.
      await new Promise((resolve) => setImmediate(resolve));
    } else {
      (piece.stand as OpenStanding).arrive();
      await (piece.stand as OpenStanding).released;
    }
  }
  response.end();
}

interface OpenStanding extends Standing {
  arrive(): void;
  released: Promise<void>;
}

function openStanding(): OpenStanding {
  const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  return {
    reached: arrived.promise,
    goOn: () => released.resolve(),
    arrive: () => arrived.resolve(),
    released: released.promise,
  };
}
