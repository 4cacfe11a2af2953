import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { listKinds } from '../../src/plugins.ts';
import { readEventsOf } from './open-events.ts';
import { payFor, send } from './paid-request.ts';
import { useApp, type App, type Creator } from './start-app.ts';
import { startStreamSource, type StreamSource } from './stream-source.ts';
import { openToyStream } from './toy-stream.ts';

export type Fields = Record<string, unknown>;

export const respondAsync = { Prefer: 'respond-async' };
export const untilDone = { Prefer: 'wait=30' };

interface Options {
  /** The chunk of the source before which the run stands still. */
  at?: number;
  headers?: Record<string, string>;
  chunks?: Parameters<StreamSource['script']>[1];
}

export type LongWorld = ReturnType<typeof toWorld>;

/** Call at the top of a test file: an app whose toy kind passes on what a source says, and calls of it behind a 202. */
export function useLongWorld(environment: Record<string, string> = {}): { readonly current: LongWorld } {
  const app = useApp(environment, { listKinds: (deps) => [...listKinds(deps), openToyStream()] });
  const holder: { world?: LongWorld } = {};
  beforeAll(async () => {
    const source = await startStreamSource();
    holder.world = toWorld(app.current, source, await app.current.makeCreator('ada'));
  });
  afterAll(() => holder.world?.source.close());
  return {
    get current() {
      if (!holder.world) {
        throw new Error('The world is there only inside hooks and tests.');
      }
      return holder.world;
    },
  };
}

export const newTopic = (): string => `topic ${randomBytes(6).toString('hex')}`;

export const ask = (url: string, headers: Record<string, string>, method = 'GET') => send(url, { method, headers });

function toWorld(app: App, source: StreamSource, creator: Creator) {
  return {
    app,
    source,
    creator,
    publish: (draft: Fields = {}) =>
      creator.publish({
        slug: `r-${randomBytes(5).toString('hex')}`,
        kind: 'toy_stream',
        config: { source: source.url, form: 'json' },
        ...draft,
      }),
    earned: () => app.balanceOf(creator.payTo),
    spentBy: async ({ address }: { address: string }) => 10_000_000n - (await app.balanceOf(address)),
    /** A paid call that is answered with 202. */
    begin: async (url: string, { at, headers = respondAsync, chunks }: Options = {}) => {
      const [buyer, topic] = [await app.makeBuyer(), newTopic()];
      if (chunks) {
        source.script(topic, chunks);
      }
      const held = at === undefined ? null : source.hold(topic, at);
      const payment = await payFor(buyer, url);
      const accepted = await send(url, { payment, body: { topic }, headers });
      expect(accepted).toMatchObject({ status: 202 });
      await held;
      const statusUrl = String(accepted.headers.get('Location'));
      const bearer = { Authorization: `Bearer ${String(accepted.body['statusToken'])}` };
      const again = (more: Record<string, string> = respondAsync) =>
        send(url, { payment, body: { topic }, headers: more });
      return { accepted, topic, buyer, statusUrl, bearer, again };
    },
  };
}

export async function readEvents(url: string, headers: Record<string, string>) {
  const response = await fetch(url, { headers: { ...headers, Accept: 'text/event-stream' } });
  return { response, ...readEventsOf(response) };
}
