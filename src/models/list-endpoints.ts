import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import type { KeptEndpoints } from './endpoint.ts';
import { endpointColumns } from './find-endpoints.ts';
import { getNamedModel, modelPath } from './named-in-path.ts';
import type { ModelsDeps } from './open-models.ts';
import { refreshEndpoints } from './refresh-endpoints.ts';

const percentiles = z
  .object({ p50: z.number(), p75: z.number(), p90: z.number(), p99: z.number() })
  .partial()
  .nullable();

const endpoint = z.object({
  tag: z.string().describe('What settings such as provider.only name it by'),
  providerName: z.string(),
  pricing: z.record(z.string(), z.unknown()).describe('As that of a model: USD per unit as decimal strings'),
  contextLength: z.number().nullable(),
  maxCompletionTokens: z.number().nullable(),
  quantization: z.string(),
  supportedParameters: z.array(z.string()),
  status: z.number().nullable().describe('0 is well, negative: degraded or down'),
  uptime30m: z.number().nullable().describe('Percent'),
  uptime1d: z.number().nullable(),
  latencySeconds: percentiles.describe('Of the last half hour'),
  tokensPerSecond: percentiles,
});

const output = z.object({
  openrouterId: z.string(),
  items: z.array(endpoint).describe('Of the last list that could be believed'),
  fetchedAt: z.string().nullable().describe('null: no list was ever read'),
  problem: z.string().nullable().describe('Why a newer list was not read, or not believed as it was'),
});

export const listEndpoints = operation({
  name: 'models.endpoints',
  route: 'GET /api/models/:author/:slug/endpoints',
  summary: 'The providers that serve an AI model: prices, limits, uptime and latency',
  scope: 'public',
  input: modelPath,
  output,
  problems: ['not_found'],
  prepare: async (deps: ModelsDeps, _caller, named) => {
    const { openrouterId } = await getNamedModel(deps, named);
    await refreshEndpoints(deps, openrouterId);
    return openrouterId;
  },
  run: async ({ tx, prepared: openrouterId }: ModelsDeps & InTransaction<string>, _caller: Caller) => {
    const { rows } = await tx.query<KeptEndpoints>(
      `SELECT ${endpointColumns} FROM ai_model_endpoints WHERE openrouter_id = $1`,
      [openrouterId],
    );
    const [kept] = rows;
    return {
      openrouterId,
      items: (kept?.endpoints ?? []).map((one) => ({ ...one, pricing: { ...one.pricing } })),
      fetchedAt: kept?.fetchedAt?.toISOString() ?? null,
      problem: kept?.problem ?? null,
    };
  },
});
