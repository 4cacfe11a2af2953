import type { ExecutionDeps, KnownModel } from '#execution/index.ts';
import type { PublishedVersion, RunContext } from '#resources/index.ts';

export function knownModel(more: Partial<KnownModel> = {}): KnownModel {
  return {
    openrouterId: 'acme/poet',
    inputModalities: ['text'],
    outputModalities: ['text'],
    contextLength: 8_192,
    maxCompletionTokens: 4_096,
    supportedParameters: ['temperature', 'max_tokens'],
    isRouter: false,
    expirationDate: null,
    isActive: true,
    pricing: { prompt: '0.000001', completion: '0.000002' },
    missingSince: null,
    oddFields: [],
    oddSince: null,
    voices: null,
    ...more,
  };
}

const painter = knownModel({ openrouterId: 'acme/painter', outputModalities: ['image', 'text'] });

/** What a kind told its ports. */
export interface Told {
  refusedKeys: { ownerId: string; problem: string }[];
  paused: { resourceId: string; cause: string }[];
  logged: unknown[];
}

type GivenDeps = Pick<ExecutionDeps, 'openRouter' | 'chatCompletions' | 'outbound' | 'media'> &
  Partial<Pick<ExecutionDeps, 'openRouterMedia'>>;

/** Ports of execution over plain values; change a field to change the world. */
export function executionDeps(given: GivenDeps, models: readonly KnownModel[] = [knownModel(), painter]) {
  const told: Told = { refusedKeys: [], paused: [], logged: [] };
  const keep = (...line: unknown[]): void => void told.logged.push(line);
  const deps: ExecutionDeps = {
    openRouterMedia: {} as never,
    ...given,
    findModel: (id) => models.find((model) => model.openrouterId === id) ?? null,
    findNearestModels: async () => [],
    openCreatorKey: async () => null,
    explainMissingKey: async () => 'key_missing: No key is stored. Store one.',
    openUpstreamKey: async () => null,
    platformKey: null,
    refuseCreatorKey: async (ownerId, { problem }) => void told.refusedKeys.push({ ownerId, problem }),
    checkCreatorKey: () => {},
    listLastRuns: async () => [],
    pauseResource: async ({ resourceId, cause }) => void told.paused.push({ resourceId, cause }),
    clock: { now: () => Date.now() },
    log: { debug: keep, info: keep, warn: keep, error: keep },
  };
  return { deps, told };
}

export function publishedVersion(more: Partial<PublishedVersion> = {}): PublishedVersion {
  return {
    resourceId: '01900000-0000-7000-8000-000000000001',
    versionId: '01900000-0000-7000-8000-000000000002',
    version: 1,
    ownerId: 'u1',
    creator: 'demo',
    slug: 'haiku',
    kind: 'openrouter_instant',
    name: 'Haiku',
    description: '',
    category: 'writing',
    tags: [],
    state: 'published',
    pauseCause: null,
    pausedBy: null,
    priceAtomic: 10_000n,
    offers: [
      {
        scheme: 'exact',
        network: 'eip155:84532',
        amountAtomic: 10_000n,
        payTo: '0x0000000000000000000000000000000000000001',
      },
    ],
    settlementPoint: 'on_success',
    maxLossUsd: null,
    timeoutSeconds: 60,
    mediaRetentionSeconds: 604_800,
    parameters: [],
    inputSchema: {},
    config: {},
    publishedAt: new Date(0),
    superseded: [],
    ...more,
  };
}

export function runContext(more: Partial<RunContext> = {}): RunContext {
  return {
    callId: '01900000-0000-7000-8000-000000000003',
    payer: null,
    signal: new AbortController().signal,
    deadlineMs: Date.now() + 900,
    isTest: false,
    ...more,
  };
}
