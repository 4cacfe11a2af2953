import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { openOpenRouterInstant } from '#execution/index.ts';
import { newId } from '#kit/index.ts';
import { openMedia, type Media } from '#media/index.ts';
import { parameterSchema } from '#resources/parameter.ts';
import type { Outcome, RunContext } from '#resources/index.ts';
import { openOutbound, type Outbound } from '#upstreams/outbound/open-outbound.ts';
import type { OpenRouterClient } from '#upstreams/index.ts';
import { executionDeps, knownModel, publishedVersion, runContext } from './execution-deps.ts';
import { CANARY_KEY, useScriptedOpenRouter } from './scripted-openrouter.ts';
import { status, type Step } from './scripted-upstream.ts';
import { useTestDatabase } from './test-database.ts';

export const MEDIA_TOPIC = 'a canary named Harold Quince';

const outputs = ['image', 'speech', 'transcription', 'video', 'embeddings', 'rerank'];
const models = [
  ...outputs.map((output) =>
    knownModel({ openrouterId: `acme/${output}`, inputModalities: ['text', 'audio'], outputModalities: [output] }),
  ),
  knownModel({ openrouterId: 'acme/talker', outputModalities: ['text', 'audio'] }),
];
const parameters = [
  parameterSchema.parse({ name: 'topic' }),
  parameterSchema.parse({ name: 'source', required: false }),
];
const soundParameter = parameterSchema.parse({ name: 'sound', type: 'audio' });
const photoParameter = parameterSchema.parse({ name: 'photo', type: 'image' });

export interface MediaCall {
  config?: object;
  input?: Record<string, unknown>;
  /** Kept as the file of the parameter `sound`. */
  sound?: Buffer;
  /** Kept as the file of the parameter `photo`, a PNG. */
  photo?: Buffer;
  context?: Partial<RunContext>;
}

/** Call at the top of a test file: `openrouter_instant` on a scripted OpenRouter with a model of every output, and a real store. */
export function useMediaWorld() {
  const database = useTestDatabase();
  const router = useScriptedOpenRouter();
  let folder: string;
  let outbound: Outbound;
  let client: OpenRouterClient;
  let world: ReturnType<typeof executionDeps>;
  let media: Media;
  const use = (openRouter: OpenRouterClient): void => {
    const clock = { now: () => Date.now() };
    const publicUrl = 'https://f.example';
    media = openMedia({ database: database.current, folder, signingKey: randomBytes(32), publicUrl, clock });
    const given = { openRouter, openRouterMedia: openRouter.media, chatCompletions: {} as never, outbound, media };
    world = executionDeps(given, models);
    world.deps.openCreatorKey = async () => ({ apiKey: CANARY_KEY });
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'farebox-media-'));
    outbound = openOutbound();
    client = router.open({ outbound });
  });
  afterAll(async () => {
    await client.close();
    await outbound.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => use(client));
  const keep = async (bytes: Buffer, [kind, contentType]: readonly [string, string]): Promise<object> => ({
    kind,
    ...(await media.keepInput({ callId: newId(), contentType, bytes })),
  });
  const run = async (
    output: string,
    steps: Step[],
    { config = {}, input = {}, sound, photo, context = {} }: MediaCall = {},
  ): Promise<Outcome> => {
    // There is no price list, so that the first request of a run is its own.
    router.upstream.script((response, request) => {
      const isList = request.method === 'GET' && request.path.includes('models');
      const step = isList ? status(404, {}) : steps.length > 1 ? steps.shift() : steps[0];
      return step?.(response, request);
    });
    const kind = openOpenRouterInstant(world.deps);
    const whole = { modelId: `acme/${output}`, systemPrompt: 'About {topic}{/topic}', ...config };
    const version = publishedVersion({
      parameters: [...parameters, ...(sound ? [soundParameter] : []), ...(photo ? [photoParameter] : [])],
      config: kind.configSchema.parse(whole),
    });
    const files = {
      ...(sound ? { sound: await keep(sound, ['audio', 'audio/wav']) } : {}),
      ...(photo ? { photo: await keep(photo, ['image', 'image/png']) } : {}),
    };
    return kind.run(version, { topic: MEDIA_TOPIC, ...input, ...files }, runContext(context));
  };
  return {
    router,
    run,
    /** The same where the upstream's own address is among those that may be called. */
    runTrusting: async (...call: Parameters<typeof run>): Promise<Outcome> => {
      const trusting = openOutbound({ allowedOrigins: [router.upstream.url] });
      const open = router.open({ outbound: trusting });
      use(open);
      const outcome = await run(...call);
      await open.close();
      await trusting.close();
      return outcome;
    },
    /** What the upstream was asked for, price lists aside. */
    orders: (): string[] =>
      router.upstream.seen
        .map(({ method, path }) => `${method} ${path.replace('/api/v1', '')}`)
        .filter((line) => !line.includes('models')),
    told: () => [world.told, router.logged],
  };
}

/** Bytes until nobody reads on. */
export function endless(type: string): Step {
  return (response) => {
    response.writeHead(200, { 'content-type': type });
    const chunk = Buffer.alloc(1_000_000, 1);
    const write = (): void => {
      while (!response.destroyed && response.write(chunk)) {
        // The next one at once.
      }
      response.once('drain', write);
    };
    write();
  };
}
