import { ExactEvmScheme } from '@x402/evm/exact/client';
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch';
import OpenAI from 'openai';
import type { PrivateKeyAccount } from 'viem/accounts';
import { beforeAll, describe, expect, test } from 'vitest';
import { send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
let creator: Creator;
let apiKey: string;

const essay = { model: 'ada/essay', messages: [{ role: 'user' as const, content: 'rivers' }] };

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  await creator.publish({ slug: 'essay' });
  apiKey = await makeKey(creator, ['resources:write']);
});

async function makeKey(owner: Creator, scopes: string[]): Promise<string> {
  const { body } = await owner.call('POST', '/api/user/api-keys', { label: 'door', scopes });
  return String(body['secret']);
}

/** The unmodified client; it demands a key, which is nobody's unless given. */
function openClient(options: { buyer?: PrivateKeyAccount; apiKey?: string; maxRetries?: number } = {}): OpenAI {
  const { buyer, apiKey: key = 'unused', maxRetries = 0 } = options;
  const paying = buyer && wrapFetchWithPayment(fetch, new x402Client().register('eip155:*', new ExactEvmScheme(buyer)));
  return new OpenAI({
    baseURL: `${app.current.url}/v1`,
    apiKey: key,
    maxRetries,
    ...(paying ? { fetch: paying } : {}),
  });
}

async function caught(promise: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OpenAI.APIError)) {
    throw new Error('The client did not throw an error of its own.', { cause: error });
  }
  return error;
}

describe('paid by x402 with the unmodified client', () => {
  test('a completion costs its price once and brings its receipt in body and headers', async () => {
    const buyer = await app.current.makeBuyer();
    const { data, response } = await openClient({ buyer }).chat.completions.create(essay).withResponse();
    expect(data).toMatchObject({
      object: 'chat.completion',
      model: 'ada/essay',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: expect.any(String) } }],
      usage: { prompt_tokens: expect.any(Number), completion_tokens: expect.any(Number) },
      farebox: { simulated: true, receipt: { paidUsdc: '0.01', payer: buyer.address.toLowerCase(), callId: data.id } },
    });
    expect(data.choices[0]?.message.content).toContain('[simulated]');
    expect(await app.current.balanceOf(buyer.address)).toBe(9_990_000n);
    const settled = decodePaymentResponseHeader(response.headers.get('PAYMENT-RESPONSE') ?? '');
    expect(settled).toMatchObject({ success: true });
    const receipt = JSON.parse(Buffer.from(response.headers.get('X-Farebox-Receipt') ?? '', 'base64').toString());
    expect(receipt).toMatchObject({ callId: data.id, transaction: settled.transaction });
    expect(response.headers.get('Cache-Control')).toBe('private, no-store');
  });
});

describe('without a payment', () => {
  test('the answer is the 402 of the paid call, with an error that the client reads', async () => {
    const error = await caught(openClient().chat.completions.create(essay));
    expect(error).toMatchObject({ status: 402, type: 'payment_required', code: 'payment_required' });
    expect(error.headers?.get('PAYMENT-REQUIRED')).toEqual(expect.any(String));
    const { body } = await send(`${app.current.url}/v1/chat/completions`, { body: essay });
    expect(body).toMatchObject({ x402Version: 1, accepts: [{ maxAmountRequired: '10000' }], error: { param: null } });
  });

  test('its owner runs it with an API key; the key of somebody else buys nothing', async () => {
    const mine = await openClient({ apiKey }).chat.completions.create(essay);
    expect(mine).toMatchObject({ farebox: { test: true, receipt: { paidUsdc: '0', transaction: null } } });
    const other = await app.current.makeCreator('bob');
    const key = await makeKey(other, ['resources:write']);
    expect(await caught(openClient({ apiKey: key }).chat.completions.create(essay))).toMatchObject({ status: 402 });
    const weak = await makeKey(creator, ['resources:read']);
    expect(await caught(openClient({ apiKey: weak }).chat.completions.create(essay))).toMatchObject({ status: 402 });
  });
});

test('the models are the published resources', async () => {
  const ids: string[] = [];
  for await (const model of openClient().models.list()) {
    ids.push(model.id);
  }
  expect(ids).toContain('ada/essay');
  expect(await openClient().models.retrieve('ada/essay')).toMatchObject({
    id: 'ada/essay',
    object: 'model',
    owned_by: 'ada',
  });
});
