import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { payFor, send, type Answered } from './paid-request.ts';
import { bytes, event, startScriptedUpstream, type ScriptedUpstream, type Step } from './scripted-upstream.ts';
import { useApp, type App, type Creator } from './start-app.ts';
import { chunk, stream } from './upstream-shapes/shape.ts';

export const comment = ': still here\n\n';
export const done = 'data: [DONE]\n\n';
export const spoken = chunk({ role: 'assistant', content: 'Ore.' });
export const finished = chunk({}, 'stop');

export const events = (...pieces: unknown[]): Step =>
  bytes(pieces.map((piece) => (typeof piece === 'string' ? piece : event(piece))));

/** Answers without an end that are being sent now. */
let sending = 0;
export const countEndless = (): number => sending;

/** Sends until its reader has gone; `paceMs` where it is to outlast the time of a call instead of what may be read. */
export const endless =
  (piece: string, { type = 'text/event-stream', first = '', code = 200, paceMs = 0 } = {}): Step =>
  async (response) => {
    sending += 1;
    response.writeHead(code, { 'content-type': type });
    response.write(first);
    const gone = once(response, 'close');
    while (!response.destroyed) {
      if (!response.write(piece)) {
        await Promise.race([once(response, 'drain'), gone]);
      }
      await (paceMs > 0 ? wait(paceMs) : new Promise((resolve) => setImmediate(resolve)));
    }
    sending -= 1;
  };

export interface HostileWorld {
  readonly app: App;
  readonly upstream: ScriptedUpstream;
  publish(more?: object): Promise<{ id: string; url: string }>;
  /** Buys once from an upstream that does this; then it is well, and the same payment is sent again. */
  buy(step: Step, more?: object): Promise<Bought>;
}

export interface Bought {
  answer: Answered;
  /** Atomic, after the first answer and after both. */
  paid: number;
  paidInAll: number;
  later: Answered;
  /** The paths that were asked for by the first call. */
  asked: string[];
  usage: Record<string, unknown>[];
}

/** Call at the top of a test file: the whole app, and an upstream of the creator's that does its worst. */
export function useHostileUpstream(): HostileWorld {
  const environment: Record<string, string> = {};
  const held: { upstream?: ScriptedUpstream; creator?: Creator } = {};
  let count = 0;
  beforeAll(async () => {
    held.upstream = await startScriptedUpstream();
    environment['UPSTREAM_ORIGINS'] = held.upstream.url;
  });
  const app = useApp(environment);
  beforeAll(async () => {
    held.creator = await app.current.makeCreator('ada', { openRouterKey: null });
  });
  afterAll(() => held.upstream?.close());
  const get = () => {
    const { upstream, creator } = held;
    if (!upstream || !creator) {
      throw new Error('The upstream is there only inside hooks and tests.');
    }
    return { upstream, creator };
  };
  const world: HostileWorld = {
    get app() {
      return app.current;
    },
    get upstream() {
      return get().upstream;
    },
    publish: async (more = {}) => {
      const { creator, upstream } = get();
      count += 1;
      return creator.publish({
        slug: `hostile-${count}`,
        kind: 'prompt_template',
        parameters: [{ name: 'topic', description: 'Any.', maxLength: 200 }],
        config: {
          model: 'm',
          systemPrompt: 'Write about {topic}{/topic}.',
          maxTokens: 120,
          upstream: { type: 'chat_completions', baseUrl: `${upstream.url}/v1`, apiKeySecret: null },
        },
        ...more,
      });
    },
    buy: async (step, more = {}) => {
      const { creator, upstream } = get();
      const { url, id } = await world.publish(more);
      const buyer = await app.current.makeBuyer();
      const payment = await payFor(buyer, url);
      const spent = async () => Number(10_000_000n - (await app.current.balanceOf(buyer.address)));
      upstream.script(step);
      const answer = await send(url, { payment, body: { topic: 'ore' } });
      const paid = await spent();
      const asked = upstream.seen.map(({ path }) => path);
      upstream.script(events(...stream('Well again.')));
      const later = await send(url, { payment, body: { topic: 'ore' } });
      const { body } = await creator.call('GET', `/api/usage?resourceId=${id}`);
      const usage = body['items'] as Bought['usage'];
      return { answer, paid, later, paidInAll: await spent(), asked, usage };
    },
  };
  return world;
}
