import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import { settlementPoints, toSettlementPoints, type ResourceKind } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';

const kindView = z.object({
  name: z.string(),
  title: z.string(),
  summary: z.string(),
  /** JSON Schema 2020-12 of `config`, as it may be sent. */
  configSchema: z.record(z.string(), z.unknown()),
  /** When money may move: a version chooses one. */
  settlementPoints: z.array(z.enum(settlementPoints)),
  /** Can a resource of this kind let buyers add a text of their own? */
  mayAllowUserMessage: z.boolean(),
});

export type KindView = z.output<typeof kindView>;

export const listKinds = operation({
  name: 'kinds.list',
  route: 'GET /api/kinds',
  summary: 'The kinds of resource that can be published here, each with the schema of its configuration.',
  scope: 'public',
  input: z.object({}),
  output: z.object({ items: z.array(kindView) }),
  run: async (deps: ResourcesDeps & InTransaction, _caller: Caller) => ({ items: deps.kinds.map(describeKind) }),
});

/** What forms, documents and clients are generated from. */
export function describeKind(kind: ResourceKind): KindView {
  return {
    name: kind.name,
    title: kind.title,
    summary: kind.summary,
    configSchema: z.toJSONSchema(kind.configSchema, { io: 'input', unrepresentable: 'any' }),
    settlementPoints: [...toSettlementPoints(kind)],
    mayAllowUserMessage: kind.allowsUserMessage !== undefined,
  };
}
