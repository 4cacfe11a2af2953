import { ExactEvmScheme } from '@x402/evm/exact/client';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import OpenAI from 'openai';
import type { PrivateKeyAccount } from 'viem/accounts';
import type { App } from './start-app.ts';

/** A fetch that pays what a 402 asks. */
export function payingFetch(buyer: PrivateKeyAccount, send: typeof fetch = fetch): typeof fetch {
  return wrapFetchWithPayment(send, new x402Client().register('eip155:*', new ExactEvmScheme(buyer)));
}

interface ClientOptions {
  buyer?: PrivateKeyAccount;
  apiKey?: string;
}

/** The unmodified client; it demands a key, which is nobody's unless given. */
export function openClient(app: App, { buyer, apiKey = 'unused' }: ClientOptions = {}): OpenAI {
  const paying = buyer ? { fetch: payingFetch(buyer) } : {};
  return new OpenAI({ baseURL: `${app.url}/v1`, apiKey, maxRetries: 0, ...paying });
}

/** What the client throws, which has to be an error of its own. */
export async function caught(promise: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OpenAI.APIError)) {
    throw new Error('The client did not throw an error of its own.', { cause: error });
  }
  return error;
}
