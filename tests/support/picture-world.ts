import { expect, afterAll, beforeAll, beforeEach } from 'vitest';
import { openAnswerCheck, type AnswerCheck } from './openrouter-openapi/check-answer.ts';
import { payFor, send, type Answered } from './paid-request.ts';
import { useApp, type Creator } from './start-app.ts';
import { openFileWorld, type MediaOrder } from './world-of-files.ts';

export interface MediaFile {
  contentType: string;
  url: string;
}

export const words = { name: 'words', type: 'string', description: 'What it shows.', maxLength: 200, example: 'a sea' };

/** Call at the top of a test file: a creator who sells pictures and films, and all that is asked for them of OpenRouter. */
export async function usePictureWorld() {
  const world = await openFileWorld();
  afterAll(() => world.stop());
  const app = useApp({ OPENROUTER_BASE_URL: world.openRouterUrl });
  let creator: Creator;
  let openApi: AnswerCheck;
  beforeAll(async () => {
    openApi = await openAnswerCheck();
    creator = await app.current.makeCreator('ada', { openRouterKey: world.key });
    // However many runs fail on purpose, none is paid before it runs (docs/decisions/0023).
    await creator.call('PUT', '/api/user/trust', { maxTrustUsdPerDay: '1000' });
  });
  beforeEach(() => {
    world.simulator.control.clearFaults();
    world.simulator.control.setLatency({ firstTokenMs: 0 });
  });
  const spentByCreator = (): number => Number(world.simulator.control.getBalance(world.key).keyUsageUsd);
  return {
    ...world,
    app,
    creator: () => creator,
    publish: (slug: string, config: object, more: object = {}) =>
      creator.publish({
        slug,
        priceUsdc: '4',
        category: 'media',
        config: { systemPrompt: 'Show {words}{/words}', ...config },
        ...more,
      }),
    /** One paid call by a new wallet, with what it was charged and what it cost the creator. */
    buy: async (url: string, body: object, headers: Record<string, string> = {}) => {
      const buyer = await app.current.makeBuyer();
      const before = spentByCreator();
      const answer: Answered = await send(url, { payment: await payFor(buyer, url), body, headers });
      const paid = 10_000_000n - (await app.current.balanceOf(buyer.address));
      return { ...answer, paid, costUsd: Number((spentByCreator() - before).toFixed(9)) };
    },
    /** The newest order, which is as OpenRouter's document says. */
    findOrder: (): MediaOrder['body'] => {
      const order = world.orders.at(-1);
      expect(order && openApi.checkRequest('POST', order.path, order.body)).toEqual([]);
      return order?.body ?? {};
    },
    findLogged: async (resourceId: string) => {
      const { body } = await creator.call('GET', `/api/usage?resourceId=${resourceId}`);
      const [newest] = body['items'] as { costUsd: string | null; evidence: { worstCostUsd: string | null } }[];
      return { costUsd: Number(newest?.costUsd), worstCostUsd: Number(newest?.evidence.worstCostUsd) };
    },
  };
}

export async function download({ url }: MediaFile): Promise<Buffer> {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}
