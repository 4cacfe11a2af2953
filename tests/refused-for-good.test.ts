import type { PrivateKeyAccount } from 'viem/accounts';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
let creator: Creator;
let buyers: PrivateKeyAccount[];
let count = 0;
let url: string;
let id: string;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  buyers = [await app.current.makeBuyer(), await app.current.makeBuyer()];
});
beforeEach(async () => {
  app.current.sandbox?.openRouter?.control.clearFaults();
  count += 1;
  ({ id, url } = await creator.publish({ slug: `essay-${count}` }));
});

const refuse = (name: string, times: number) => app.current.sandbox?.openRouter?.control.fail(name, { times });
const read = async () => (await creator.call('GET', `/api/resources/${id}`)).body;

/** Calls one after the other, each by the buyer of that number; their statuses. */
async function buy(...by: number[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const index of by) {
    const buyer = buyers[index] as PrivateKeyAccount;
    const { status } = await send(url, { payment: await payFor(buyer, url), body: { topic: `of buyer ${index}` } });
    statuses.push(status);
  }
  return statuses;
}

test.each([
  ['403_budget', /^A budget of your OpenRouter account/],
  ['404_data_policy', /^No provider of the model fits/],
  ['403_region', /does not permit this call/],
  ['400_max_tokens', /^maxTokens is higher/],
])(
  'after %s to 5 calls in a row of two payers it is no longer sold, uncharged, and its creator reads why',
  async (fault, cause) => {
    refuse(fault, 5);
    const statuses = await buy(0, 1, 0, 1, 0);
    expect(statuses.filter((status) => status < 500)).toEqual([]);
    expect(await read()).toMatchObject({
      state: 'paused',
      pausedBy: 'fault',
      pauseCause: expect.stringMatching(cause),
    });
    expect((await read())['pauseCause']).toMatch(/5 calls in a row/);
    expect((await send(url)).status).toBe(503);
  },
);

test('4 such refusals, or 5 with an answer between them, pause nothing', async () => {
  refuse('403_budget', 4);
  expect(await buy(0, 1, 0, 1, 0)).toEqual([503, 503, 503, 503, 200]);
  refuse('403_budget', 4);
  await buy(0, 1, 0, 1);
  expect(await read()).toMatchObject({ state: 'published' });
});

test('one payer alone cannot have a resource paused, however often its calls are refused', async () => {
  refuse('403_budget', 8);
  await buy(0, 0, 0, 0, 0, 0, 0, 0);
  expect(await read()).toMatchObject({ state: 'published' });
});

test('failures that pass, and refusals of the input, never pause it', async () => {
  for (const fault of ['502', '400_content_policy', '400_context_length']) {
    app.current.sandbox?.openRouter?.control.fail(fault, { times: 12 });
    await buy(0, 1, 0, 1, 0);
    app.current.sandbox?.openRouter?.control.clearFaults();
  }
  expect(await read()).toMatchObject({ state: 'published' });
});

test('a new version is judged by its own calls alone', async () => {
  refuse('403_budget', 5);
  await buy(0, 1, 0, 1);
  await creator.call('PATCH', `/api/resources/${id}`, { description: 'Another one.' });
  await creator.call('POST', `/api/resources/${id}/publish`, {});
  await buy(0);
  expect(await read()).toMatchObject({ state: 'published' });
});
