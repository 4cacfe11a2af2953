import { erc20Abi, type Hex } from 'viem';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { simulatorFaults } from '#sandbox/index.ts';
import { connectChain } from './support/connect-chain.ts';
import { countRuns, payFor, send } from './support/paid-request.ts';
import { makeAccount } from './support/pay.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
const body = { topic: 'rivers' };
let creator: Creator;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});
beforeEach(async () => {
  control().clearFaults();
  control().setLatency({ firstTokenMs: 0 });
  await restoreKey();
});

const control = () => {
  const simulator = app.current.sandbox?.openrouter;
  if (!simulator) {
    throw new Error('The app runs without its simulator.');
  }
  return simulator.control;
};
const spentBy = async (address: string) => 10_000_000n - (await app.current.balanceOf(address));
const toSlug = (name: string) => `f-${name.replaceAll('_', '-')}`;

/** A key that was refused in a call is put aside; the creator stores it again, and what was paused for it resumes. */
async function restoreKey(): Promise<void> {
  const apiKey = app.current.sandbox?.openrouter?.keys.healthy;
  expect((await creator.call('PUT', '/api/user/integrations/openrouter', { apiKey })).status).toBe(200);
}

async function readUsage(resourceId: string) {
  const { body: page } = await creator.call('GET', `/api/usage?resourceId=${resourceId}`);
  return page['items'] as Record<string, unknown>[];
}

/** Of each way in which OpenRouter fails: what the buyer reads and how the creator's cause begins. */
const expected: [fault: string, status: number, code: string, cause: string][] = [
  ['ok_200_error_body', 502, 'upstream_failed', 'provider_failed'],
  ['ok_finish_error', 502, 'upstream_failed', 'provider_failed'],
  ['ok_empty', 502, 'upstream_failed', 'truncated_answer'],
  ['ok_null_content', 502, 'upstream_failed', 'empty_answer'],
  ['ok_reasoning_starved', 502, 'upstream_failed', 'reasoning_starved'],
  ['ok_content_filter', 422, 'content_refused', 'content_filtered'],
  ['html_200', 502, 'upstream_failed', 'malformed_answer'],
  ['stream_cut', 502, 'upstream_failed', 'connection_failed'],
  ['stream_error_typed', 502, 'upstream_failed', 'provider_failed'],
  ['stream_error_bare', 502, 'upstream_failed', 'answer_failed'],
  ['stream_malformed_event', 502, 'upstream_failed', 'malformed_answer'],
  ['socket_reset', 502, 'upstream_failed', 'connection_failed'],
  ['400_context_length', 422, 'unprocessable', 'input_too_long'],
  ['400_content_policy', 422, 'content_refused', 'content_refused'],
  ['401_user_not_found', 503, 'unavailable', 'key_rejected'],
  ['402_credits', 503, 'unavailable', 'out_of_credits'],
  ['402_key_limit', 503, 'unavailable', 'key_limit_reached'],
  ['403_moderation', 422, 'content_refused', 'content_refused'],
  ['404_deprecated', 503, 'unavailable', 'model_gone'],
  ['429_free_minute', 503, 'unavailable', 'rate_limited'],
  ['500', 502, 'upstream_failed', 'provider_failed'],
  ['502', 502, 'upstream_failed', 'provider_failed'],
  ['503', 503, 'unavailable', 'provider_overloaded'],
  ['504', 504, 'upstream_timeout', 'provider_timeout'],
];

describe('an upstream that fails', () => {
  test.each(expected)('%s: %i %s for the buyer, %s for the creator, no charge', async (fault, status, code, cause) => {
    const { url, id } = await creator.publish({ slug: toSlug(`table_${fault}`) });
    const buyer = await app.current.makeBuyer();
    control().fail(fault, { times: 20 });
    const failed = await send(url, { payment: await payFor(buyer, url), body });
    expect(failed).toMatchObject({ status, body: { status, code, charged: false, detail: expect.any(String) } });
    const [logged, ...more] = await readUsage(id);
    expect(more).toEqual([]);
    expect(logged).toMatchObject({
      status: 'failed',
      problem: code,
      cause: expect.stringMatching(new RegExp(`^${cause}: `)),
      earnedUsdc: '0',
      transaction: null,
      payer: buyer.address.toLowerCase(),
    });
    expect(await spentBy(buyer.address)).toBe(0n);
    expect(JSON.stringify(failed.body)).not.toMatch(/openrouter|provider|gpt-4o|credit|key|Write about/i);
  });

  const endless = new Set(['socket_hang', 'stream_comments_only']);

  test.each(Object.keys(simulatorFaults).filter((name) => !endless.has(name)))(
    '%s: an answer and its price, or neither and the same payment buys one later',
    async (fault) => {
      const { url, id } = await creator.publish({ slug: toSlug(fault) });
      const buyer = await app.current.makeBuyer();
      const payment = await payFor(buyer, url);
      control().fail(fault, { times: 20 });
      const first = await send(url, { payment, body });
      control().clearFaults();
      const isAnswer = first.status === 200;
      expect(isAnswer ? first.body['receipt'] : first.body['charged']).toEqual(isAnswer ? expect.anything() : false);
      expect(await spentBy(buyer.address)).toBe(isAnswer ? 10_000n : 0n);
      await restoreKey();
      await creator.call('POST', `/api/resources/${id}/resume`);
      const later = await send(url, { payment, body });
      expect(later).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0.01' } } });
      expect(await spentBy(buyer.address)).toBe(10_000n);
      expect((await readUsage(id)).map(({ status }) => status)).toEqual(isAnswer ? ['success'] : ['success', 'failed']);
    },
  );

  test.each([...endless])('%s: given up in time for the payment to be used again', async (fault) => {
    const { url, id } = await creator.publish({ slug: toSlug(fault), timeoutSeconds: 5 });
    const buyer = await app.current.makeBuyer();
    const payment = await payFor(buyer, url);
    control().fail(fault);
    const failed = await send(url, { payment, body });
    expect(failed).toMatchObject({ status: 504, body: { code: 'upstream_timeout', charged: false } });
    expect(await readUsage(id)).toMatchObject([{ status: 'failed', problem: 'upstream_timeout' }]);
    expect((await send(url, { payment, body })).status).toBe(200);
    expect(await spentBy(buyer.address)).toBe(10_000n);
  });
});

test('money that is gone when the answer is ready: the answer is withheld, the creator sees why', async () => {
  const { url, id } = await creator.publish({ slug: 'drained' });
  const buyer = await app.current.makeBuyer();
  const topic = 'a purse with a hole';
  control().setLatency({ firstTokenMs: 2000 });
  const answering = payFor(buyer, url).then((payment) => send(url, { payment, body: { topic } }));
  await expect.poll(() => countRuns(app.current, topic)).toBe(1);
  await drain(buyer.address);
  const refused = await answering;
  expect(refused).toMatchObject({
    status: 402,
    body: { x402Version: 1, error: expect.stringMatching(/insufficient/) },
  });
  expect(refused.headers.get('PAYMENT-REQUIRED')).not.toBeNull();
  expect(refused.settlement).toMatchObject({
    success: false,
    transaction: '',
    errorReason: expect.stringMatching(/insufficient/),
  });
  expect(JSON.stringify(refused.body)).not.toContain('[simulated]');
  expect(await app.current.balanceOf(buyer.address)).toBe(0n);
  expect(await readUsage(id)).toMatchObject([
    { status: 'unpaid', problem: expect.stringMatching(/insufficient/), earnedUsdc: '0', model: expect.any(String) },
  ]);
});

/** Sends all test USDC of the account away, as its owner could at any moment. */
async function drain(address: Hex): Promise<void> {
  const chain = app.current.sandbox?.chain;
  const client = connectChain(chain?.rpcUrl ?? '');
  await chain?.fund(address, 10n ** 18n);
  await client.impersonateAccount({ address });
  const hash = await client.writeContract({
    account: address,
    address: chain?.token.address ?? '0x',
    abi: erc20Abi,
    functionName: 'transfer',
    args: [makeAccount().address, await app.current.balanceOf(address)],
  });
  await client.waitForTransactionReceipt({ hash });
}
