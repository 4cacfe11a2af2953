import { decodePaymentRequiredHeader, decodePaymentResponseHeader } from '@x402/core/http';
import type { PaymentRequired, SettleResponse } from '@x402/core/types';
import type { PrivateKeyAccount } from 'viem/accounts';
import type { Offer } from '#payments/index.ts';
import type { App } from './start-app.ts';
import { encodeHeader, signOffer, toEnvelope, type SignedPayload } from './pay.ts';

export interface Answered {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
  /** What PAYMENT-RESPONSE says; null when there is none. */
  settlement: SettleResponse | null;
}

interface Sent {
  method?: string;
  headers?: Record<string, string>;
  /** Text goes as it is. */
  body?: unknown;
  /** PAYMENT-SIGNATURE. */
  payment?: string;
  cookie?: string;
}

/** One request as any HTTP client would send it; `body` becomes JSON. */
export async function send(url: string, sent: Sent = {}): Promise<Answered> {
  const { body, payment, cookie } = sent;
  const response = await fetch(url, {
    method: sent.method ?? 'POST',
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(payment === undefined ? {} : { 'PAYMENT-SIGNATURE': payment }),
      ...(cookie === undefined ? {} : { Cookie: cookie }),
      ...sent.headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const settled = response.headers.get('PAYMENT-RESPONSE');
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
    settlement: settled === null ? null : decodePaymentResponseHeader(settled),
  };
}

/** What the resource asks for, from its 402. */
export async function getChallenge(url: string): Promise<PaymentRequired> {
  const { status, headers } = await send(url);
  const header = headers.get('PAYMENT-REQUIRED');
  if (status !== 402 || header === null) {
    throw new Error(`${url} answered ${status} where a 402 was expected`);
  }
  return decodePaymentRequiredHeader(header);
}

export function toOffer(required: PaymentRequired): Offer {
  const [accept] = required.accepts;
  if (!accept) {
    throw new Error('The challenge offers nothing.');
  }
  const { amount, ...rest } = accept;
  return { ...rest, amountAtomic: BigInt(amount) } as unknown as Offer;
}

/** A PAYMENT-SIGNATURE for the first offer of the challenge, whose resource and extensions it sends back as clients do. */
export async function signFor(
  buyer: PrivateKeyAccount,
  required: PaymentRequired,
  changes: Partial<SignedPayload['authorization']> = {},
): Promise<string> {
  const offer = toOffer(required);
  const { resource, extensions } = required;
  return encodeHeader({ ...toEnvelope(2, offer, await signOffer(buyer, offer, changes)), resource, extensions });
}

/** A new payment for the resource as it is offered now. */
export async function payFor(
  buyer: PrivateKeyAccount,
  url: string,
  changes: Partial<SignedPayload['authorization']> = {},
): Promise<string> {
  return signFor(buyer, await getChallenge(url), changes);
}

/** How many executions that mention the text have reached the simulated OpenRouter. */
export function countRuns(app: App, text: string): number {
  const requests = app.sandbox?.openRouter?.control.requests ?? [];
  return requests.filter(({ path, body }) => path.endsWith('/chat/completions') && JSON.stringify(body).includes(text))
    .length;
}
