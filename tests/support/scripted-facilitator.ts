import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { x402Facilitator } from '@x402/core/facilitator';
import type { PaymentPayload, PaymentRequirements } from '@x402/core/types';
import { openSdkFacilitator } from './sdk-facilitator.ts';
import type { TestChain } from './test-chain.ts';

interface Request {
  x402Version: number;
  paymentPayload: PaymentPayload;
  paymentRequirements: PaymentRequirements;
}

/** `null`: answer as the SDK's facilitator does. */
export type Script = (path: string, body: Request | null) => { status: number; text: string } | 'hang' | 'drop' | null;

export interface ScriptedFacilitator {
  url: string;
  script: Script;
  seen: { path: string; body: Request | null }[];
  close(): void;
}

/** The SDK's facilitator over HTTP, which answers otherwise where the script says so. */
export async function startScriptedFacilitator(chain: TestChain): Promise<ScriptedFacilitator> {
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
