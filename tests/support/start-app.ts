import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { generatePrivateKey, privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';
import { createPublicClient, erc20Abi, http, type Hex } from 'viem';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Sandbox } from '#sandbox/index.ts';
import { readConfig } from '../../src/config.ts';
import { startFarebox, type Farebox, type StartOptions } from '../../src/main.ts';
import { findUndocumented } from './find-undocumented.ts';
import { useTestDatabase } from './test-database.ts';

export interface App extends Farebox {
  url: string;
  /** DATA_DIR. */
  folder: string;
  /** Lines that were logged, as text: for canaries. */
  logged: string[];
  /** A new wallet with 10 test USDC. */
  makeBuyer(): Promise<PrivateKeyAccount>;
  balanceOf(address: string): Promise<bigint>;
  /** A creator who is signed in, with a working OpenRouter key unless told otherwise. */
  makeCreator(username: string, options?: { openRouterKey?: string | null }): Promise<Creator>;
}

export interface Creator {
  username: string;
  cookie: string;
  payTo: Hex;
  /** Calls the management API as this creator. */
  call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>;
  /** Creates and publishes a resource; what is not given has a sensible value. */
  publish(draft: { slug: string } & Record<string, unknown>): Promise<{ id: string; url: string }>;
}

/** Call at the top of a test file: the whole of Farebox on a database of its own, with its own chain and simulator. */
export function useApp(
  environment: Record<string, string> = {},
  options: Pick<StartOptions, 'listKinds'> = {},
): { readonly current: App } {
  const database = useTestDatabase();
  const holder: { app?: App; folder?: string } = {};
  beforeAll(async () => {
    holder.folder = await mkdtemp(join(tmpdir(), 'farebox-app-'));
    const logged: string[] = [];
    const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });
    const config = readConfig({ PORT: '0', DATA_DIR: holder.folder, DATABASE_URL: database.url, ...environment });
    const farebox = await startFarebox(config, {
      log,
      latency: { firstTokenMs: 0, tokensPerSecond: 0 },
      ...options,
    });
    holder.app = toApp(farebox, { logged, folder: holder.folder });
  });
  afterAll(async () => {
    await holder.app?.close();
    expect(findUndocumented(holder.app?.logged ?? [])).toEqual([]);
    await rm(holder.folder ?? '', { recursive: true, force: true });
  });
  return {
    get current() {
      if (!holder.app) {
        throw new Error('The app is there only inside hooks and tests.');
      }
      return holder.app;
    },
  };
}

function toApp(farebox: Farebox, given: Pick<App, 'logged' | 'folder'>): App {
  const url = farebox.publicUrl;
  const chain = farebox.sandbox?.chain;
  const client = createPublicClient({ transport: http(chain?.rpcUrl ?? 'http://127.0.0.1:9') });
  return {
    ...farebox,
    ...given,
    url,
    makeBuyer: async () => {
      const account = privateKeyToAccount(generatePrivateKey());
      await chain?.faucet.send(account.address);
      return account;
    },
    balanceOf: (address) =>
      client.readContract({
        address: chain?.token.address ?? '0x',
        abi: erc20Abi,
        functionName: 'balanceOf',
        args: [address as Hex],
      }),
    makeCreator: (username, options = {}) => makeCreator(farebox, username, options),
  };
}

/** Signs a creator up with a server that runs in this process or in another one. */
export async function makeCreator(
  farebox: Pick<Farebox, 'publicUrl'> & { sandbox: Pick<Sandbox, 'openRouter'> | null },
  username: string,
  options: { openRouterKey?: string | null } = {},
): Promise<Creator> {
  const { publicUrl } = farebox;
  const cookie = await signUpAndIn(publicUrl, username);
  const call: Creator['call'] = async (method, path, body) => {
    const answered = await fetch(`${publicUrl}${path}`, {
      method,
      headers: {
        Cookie: cookie,
        Origin: publicUrl,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answered.text();
    return {
      status: answered.status,
      headers: answered.headers,
      body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
    };
  };
  const expectOk = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const answered = await call(method, path, body);
    if (answered.status >= 300) {
      throw new Error(`${method} ${path} answered ${answered.status}: ${JSON.stringify(answered.body)}`);
    }
    return answered.body;
  };
  const apiKey =
    options.openRouterKey === undefined ? farebox.sandbox?.openRouter?.keys.healthy : options.openRouterKey;
  if (apiKey) {
    await expectOk('PUT', '/api/user/integrations/openrouter', { apiKey });
  }
  const payTo = privateKeyToAccount(generatePrivateKey()).address;
  return {
    username,
    cookie,
    payTo,
    call,
    publish: async (draft) => {
      const { id } = await expectOk('POST', '/api/resources', { ...plainDraft, payTo, name: draft.slug, ...draft });
      await expectOk('POST', `/api/resources/${String(id)}/publish`, {});
      return { id: String(id), url: `${publicUrl}/@${username}/${draft.slug}` };
    },
  };
}

/** A new account and its first session. @returns the Cookie header. */
async function signUpAndIn(url: string, username: string): Promise<string> {
  const given = { email: `${username}@example.com`, password: 'correct horse battery' };
  let response: Response | undefined;
  for (const [path, body] of [
    ['sign-up/email', { ...given, name: username, username }],
    ['sign-in/email', given],
  ] as const) {
    response = await fetch(`${url}/api/auth/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) {
      throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    }
  }
  const cookies = response?.headers.getSetCookie() ?? [];
  return cookies.map((line) => line.split(';')[0]).join('; ');
}

const plainDraft = {
  kind: 'openrouter_instant',
  description: 'A resource of a test.',
  category: 'ai',
  priceUsdc: '0.01',
  network: 'eip155:84532',
  parameters: [{ name: 'topic', type: 'string', description: 'Any topic.', required: true, maxLength: 200 }],
  config: { modelId: 'openai/gpt-4o-mini', systemPrompt: 'Write about {topic}{/topic}.', maxTokens: 120 },
};
