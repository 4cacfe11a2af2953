import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '#kit/index.ts';
import type { Clock } from '#kit/index.ts';
import { openAdjustableClock } from './adjustable-clock.ts';
import { openCatalogue } from './catalogue.ts';
import { openContentStore } from './content-store.ts';
import { openControl } from './control.ts';
import type { SimulatorControl } from './control.ts';
import { answerControl, CONTROL_PATH } from './control-routes.ts';
import type { RemoteControl } from './control-routes.ts';
import { createDemoKeys, demoKeys } from './demo-keys.ts';
import type { DemoKeys } from './demo-keys.ts';
import { readExchange } from './exchange.ts';
import type { MeasureFile } from './file-sizes.ts';
import { openFaultPlan } from './fault-plan.ts';
import { withMediaModels } from './media/media-models.ts';
import { openPromptCache } from './prompt-cache.ts';
import { refuse } from './refusal.ts';
import { replyRefusal, replyText } from './reply.ts';
import { answer, BASE_PATH } from './routes.ts';
import { sendReply } from './send-reply.ts';
import { DEFAULT_SLOW_MS, type Latency, type State } from './state.ts';

const MAX_RECORDED_REQUESTS = 500;
const KEEP_ALIVE_MS = 60_000;

export interface SimulatorOptions {
  /** 0 chooses a free one. */
  port: number;
  /** Raw `GET /models` objects, all output modalities. */
  catalogue: readonly unknown[];
  /** How files are measured that it is sent: it bills by their size. */
  measure: MeasureFile;
  clock?: Clock;
  /** As fast as it goes unless told. The demo uses 250 ms and 80 tokens per second. */
  latency?: Partial<Latency>;
  seed?: string;
  /** How long `GET /generation` answers 404 after an answer; 300 ms unless told. */
  generationDelayMs?: number;
  /** Opens `/__sim/*`, which steers the simulator from outside the process; without one nobody may. */
  controlToken?: string;
}

export interface OpenRouterSimulator {
  /** Base URL, ending in `/api/v1`. */
  url: string;
  port: number;
  keys: DemoKeys;
  control: SimulatorControl;
  stop(): Promise<void>;
}

/** Starts a server that answers like OpenRouter: deterministic, priced from the catalogue, marked as simulated. */
export async function startOpenRouterSimulator(options: SimulatorOptions): Promise<OpenRouterSimulator> {
  const state = createState(options);
  const control = { steer: openControl(state), token: options.controlToken ?? null };
  const server = createServer((request, response) => {
    serve({ state, control }, request, response).catch(() => fail(response));
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${BASE_PATH}`,
    port,
    keys: demoKeys,
    control: control.steer,
    stop: () => stop(server),
  };
}

interface Served {
  state: State;
  control: RemoteControl;
}

function createState(options: SimulatorOptions): State {
  const seed = options.seed ?? 'farebox';
  return {
    seed,
    measure: options.measure,
    clock: openAdjustableClock(options.clock ?? systemClock),
    generationDelayMs: options.generationDelayMs ?? 300,
    catalogue: openCatalogue(withMediaModels(options.catalogue)),
    keys: createDemoKeys(),
    generations: new Map(),
    videos: new Map(),
    contents: openContentStore(),
    promptCache: openPromptCache(),
    grants: new Map(),
    faults: openFaultPlan(seed),
    requests: [],
    latency: { firstTokenMs: 0, tokensPerSecond: 0, jitterMs: 0, commentEveryMs: 0, ...options.latency },
    modelLatency: new Map(),
    slowMs: DEFAULT_SLOW_MS,
    downProviders: new Set(),
    usageChunkChoices: 'repeat',
    splitBytes: 0,
    sequence: 0,
  };
}

async function serve({ state, control }: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'OPTIONS') {
    const headers = {
      'access-control-allow-methods': 'GET, POST, PATCH, DELETE, OPTIONS',
      'access-control-allow-headers': '*',
    };
    return await sendReply(response, replyText('', { status: 204, headers }), state);
  }
  const exchange = await readExchange(request, state.clock.now());
  if (exchange.path.startsWith(CONTROL_PATH)) {
    return await sendReply(response, answerControl(state, exchange, control), state);
  }
  state.requests.push(exchange.recorded);
  if (state.requests.length > MAX_RECORDED_REQUESTS) {
    state.requests.shift();
  }
  await sendReply(response, await answer(state, exchange), state);
}

function fail(response: ServerResponse): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const reply = replyRefusal(refuse(500, 'Internal Server Error', { error_type: 'server' }));
  const text = reply.kind === 'text' ? reply.text : '';
  response.writeHead(500, { 'content-type': 'application/json', 'x-farebox-simulated': 'true' }).end(text);
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
