import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { x402Facilitator } from '@x402/core/facilitator';
import type { PaymentPayload, PaymentRequirements } from '@x402/core/types';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { Payments } from '#payments/index.ts';
import { openTestPayments } from './open-test-payments.ts';
import { openSdkFacilitator } from './sdk-facilitator.ts';
import type { TestChain } from './test-chain.ts';

interface Request {
  x402Version: number;
  paymentPayload: PaymentPayload;
  paymentRequirements: PaymentRequirements;
}

/** `null`: answer as the SDK's facilitator does. */
export type Script = (path: string, body: Request | null) => { status: number; text: string } | 'hang' | 'drop' | null;

interface ScriptedFacilitator {
  url: string;
  script: Script;
  seen: { path: string; body: Request | null }[];
  close(): void;
}

/** The SDK's facilitator over HTTP, which answers otherwise where the script says so. */
async function startScriptedFacilitator(chain: TestChain): Promise<ScriptedFacilitator> {
  const sdk = await openSdkFacilitator(chain);
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) {
        chunks.push(chunk as Buffer);
      }
      const text = Buffer.concat(chunks).toString('utf8');
      const body = text ? (JSON.parse(text) as Request) : null;
      const path = request.url ?? '';
      facilitator.seen.push({ path, body });
      const scripted = facilitator.script(path, body);
      if (scripted === 'drop') {
        response.socket?.destroy();
      } else if (scripted !== 'hang') {
        const { status, text: reply } = scripted ?? { status: 200, text: await answerAsSdk(sdk, path, body) };
        response.writeHead(status, { 'content-type': 'application/json' }).end(reply);
      }
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const facilitator: ScriptedFacilitator = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x402`,
    script: () => null,
    seen: [],
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return facilitator;
}

/** The same answer to every request whose path ends so. */
export function answer(path: string, status: number, body: unknown): Script {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return (asked) => (asked.endsWith(path) ? { status, text } : null);
}

async function answerAsSdk(sdk: x402Facilitator, path: string, body: Request | null): Promise<string> {
  if (!body) {
    return JSON.stringify(path === '/x402/supported' ? sdk.getSupported() : {});
  }
  const { paymentPayload, paymentRequirements } = body;
  const verdict = path.endsWith('/verify')
    ? await sdk.verify(paymentPayload, paymentRequirements)
    : await sdk.settle(paymentPayload, paymentRequirements);
  return JSON.stringify(verdict);
}

type OpenOptions = Parameters<typeof openTestPayments>[1];

/** Call at the top of a test file: one scripted facilitator, and payments that settle with it alone unless told otherwise. */
export function useScriptedFacilitator(chain: TestChain) {
  const closing: (() => Promise<unknown>)[] = [];
  const holder: { facilitator?: ScriptedFacilitator } = {};
  const get = (): ScriptedFacilitator => {
    if (!holder.facilitator) {
      throw new Error('The facilitator is there only inside hooks and tests.');
    }
    return holder.facilitator;
  };
  beforeAll(async () => {
    holder.facilitator = await startScriptedFacilitator(chain);
  });
  afterAll(() => get().close());
  beforeEach(() => {
    get().script = () => null;
    get().seen = [];
  });
  afterEach(async () => {
    await Promise.all(closing.splice(0).map((close) => close()));
  });
  return {
    get current() {
      return get();
    },
    /** Closed after each test. */
    closing,
    open: async (options: OpenOptions = {}): Promise<Payments> => {
      const alone = { facilitatorUrls: [get().url], settlerPrivateKeys: [] };
      const payments = await openTestPayments(chain, { ...alone, ...options });
      closing.push(() => payments.close());
      return payments;
    },
  };
}
