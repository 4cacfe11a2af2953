import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { simulatorFaults } from '#sandbox/index.ts';
import { drain } from './support/drain.ts';
import { countRuns, payFor, send } from './support/paid-request.ts';
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
  const simulator = app.current.sandbox?.openRouter;
  if (!simulator) {
    throw new Error('The app runs without its simulator.');
  }
  return simulator.control;
};
const spentBy = async (address: string) => 10_000_000n - (await app.current.balanceOf(address));
const toSlug = (name: string) => `f-${name.replaceAll('_', '-')}`;

/** A key that was refused in a call is put aside; the creator stores it again, and what was paused for it resumes. */
async function restoreKey(): Promise<void> {
  const apiKey = app.current.sandbox?.openRouter?.keys.healthy;
  expect((await creator.call('PUT', '/api/user/integrations/openrouter', { apiKey })).status).toBe(200);
}

async function readUsage(resourceId: string) {
  const { body: page } = await creator.call('GET', `/api/usage?resourceId=${resourceId}`);
  return page['items'] as Record<string, unknown>[];
}

/** Of each way in which OpenRouter fails: what the buyer reads and how the creator's cause begins. */
const expected = [
  { fault: 'ok_200_error_body', status: 502, code: 'upstream_failed', cause: 'provider_failed' },
  { fault: 'ok_finish_error', status: 502, code: 'upstream_failed', cause: 'provider_failed' },
  { fault: 'ok_empty', status: 502, code: 'upstream_failed', cause: 'truncated_answer' },
  { fault: 'ok_null_content', status: 502, code: 'upstream_failed', cause: 'empty_answer' },
  { fault: 'ok_reasoning_starved', status: 502, code: 'upstream_failed', cause: 'reasoning_starved' },
  { fault: 'ok_content_filter', status: 422, code: 'content_refused', cause: 'content_filtered' },
  { fault: 'html_200', status: 502, code: 'upstream_failed', cause: 'malformed_answer' },
  { fault: 'stream_cut', status: 502, code: 'upstream_failed', cause: 'connection_failed' },
  { fault: 'stream_error_typed', status: 502, code: 'upstream_failed', cause: 'provider_failed' },
  { fault: 'stream_error_bare', status: 502, code: 'upstream_failed', cause: 'answer_failed' },
  { fault: 'stream_malformed_event', status: 502, code: 'upstream_failed', cause: 'malformed_answer' },
  { fault: 'socket_reset', status: 502, code: 'upstream_failed', cause: 'connection_failed' },
  { fault: '400_context_length', status: 422, code: 'unprocessable', cause: 'input_too_long' },
  { fault: '400_content_policy', status: 422, code: 'content_refused', cause: 'content_refused' },
  { fault: '401_user_not_found', status: 503, code: 'unavailable', cause: 'key_rejected' },
  { fault: '402_credits', status: 503, code: 'unavailable', cause: 'out_of_credits' },
  { fault: '402_key_limit', status: 503, code: 'unavailable', cause: 'key_limit_reached' },
  { fault: '403_moderation', status: 422, code: 'content_refused', cause: 'content_refused' },
  { fault: '404_deprecated', status: 503, code: 'unavailable', cause: 'model_gone' },
  { fault: '429_free_minute', status: 503, code: 'unavailable', cause: 'rate_limited' },
  { fault: '500', status: 502, code: 'upstream_failed', cause: 'provider_failed' },
  { fault: '502', status: 502, code: 'upstream_failed', cause: 'provider_failed' },
  { fault: '503', status: 503, code: 'unavailable', cause: 'provider_overloaded' },
  { fault: '504', status: 504, code: 'upstream_timeout', cause: 'provider_timeout' },
];

describe('an upstream that fails', () => {
  test.each(expected)(
    'an upstream that fails with $fault: $status $code for the buyer, $cause for the creator, no charge',
    async (row) => {
      const { fault, status, code, cause } = row;
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
      // The address of the resource, in its receipt, names the fault in this test.
      expect(JSON.stringify(failed.body).replaceAll(url, '')).not.toMatch(
        /openrouter|provider|gpt-4o|credit|key|Write about/i,
      );
    },
  );

  const endless = new Set(['socket_hang', 'stream_comments_only']);

  test.each(Object.keys(simulatorFaults).filter((name) => !endless.has(name)))(
    'an upstream that fails with %s: an answer and its price, or neither and the same payment buys one later',
    async (fault) => {
      const { url, id } = await creator.publish({ slug: toSlug(fault) });
      const buyer = await app.current.makeBuyer();
      const payment = await payFor(buyer, url);
      control().fail(fault, { times: 20 });
      const first = await send(url, { payment, body });
      control().clearFaults();
      const isAnswer = first.status === 200;
      expect(first.body).toMatchObject(isAnswer ? { receipt: { paidUsdc: '0.01' } } : { charged: false });
      expect(await spentBy(buyer.address)).toBe(isAnswer ? 10_000n : 0n);
      await restoreKey();
      await creator.call('POST', `/api/resources/${id}/resume`);
      const later = await send(url, { payment, body });
      expect(later).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0.01' } } });
      expect(await spentBy(buyer.address)).toBe(10_000n);
      expect((await readUsage(id)).map(({ status }) => status)).toEqual(isAnswer ? ['success'] : ['success', 'failed']);
    },
  );

  test.each([...endless])(
    'an upstream that fails with %s: given up in time for the payment to be used again',
    async (fault) => {
      const { url, id } = await creator.publish({ slug: toSlug(fault), timeoutSeconds: 5 });
      const buyer = await app.current.makeBuyer();
      const payment = await payFor(buyer, url);
      control().fail(fault);
      const failed = await send(url, { payment, body });
      expect(failed).toMatchObject({ status: 504, body: { code: 'upstream_timeout', charged: false } });
      expect(await readUsage(id)).toMatchObject([{ status: 'failed', problem: 'upstream_timeout' }]);
      expect((await send(url, { payment, body })).status).toBe(200);
      expect(await spentBy(buyer.address)).toBe(10_000n);
    },
  );
});

test('a buyer whose money is gone when the answer is ready: the answer is withheld, the creator sees why', async () => {
  const { url, id } = await creator.publish({ slug: 'drained' });
  const buyer = await app.current.makeBuyer();
  const topic = 'a purse with a hole';
  control().setLatency({ firstTokenMs: 2000 });
  const answering = payFor(buyer, url).then((payment) => send(url, { payment, body: { topic } }));
  await expect.poll(() => countRuns(app.current, topic)).toBe(1);
  await drain({ chain: app.current.sandbox?.chain, address: buyer.address });
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
