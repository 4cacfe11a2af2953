import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import { parameterSchema } from './parameter.ts';
import { settlementPoints, toSettlementPoints, type DraftExample, type ResourceKind } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { toInputExample, USER_MESSAGE } from './to-input-schema.ts';

const kindView = z.object({
  name: z.string(),
  title: z.string(),
  summary: z.string(),
  /** JSON Schema 2020-12 of `config`, as it may be sent. */
  configSchema: z.record(z.string(), z.unknown()),
  /** When money may move: a version chooses one. */
  settlementPoints: z.array(z.enum(settlementPoints)),
  /** JSON Schema 2020-12 of what buyers get, without the receipt; and one such answer. */
  answerSchema: z.record(z.string(), z.unknown()),
  answerExample: z.record(z.string(), z.unknown()),
  /** Whole drafts that can be published, and what a buyer of each may send. */
  examples: z.array(z.object({ draft: z.record(z.string(), z.unknown()), input: z.record(z.string(), z.unknown()) })),
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
  run: async (deps: ResourcesDeps & InTransaction, _caller: Caller) => ({
    items: deps.kinds.map((kind) => describeKind(deps, kind)),
  }),
});

/** A payee that stands for the creator's own address in examples; nobody has its key. */
const SOME_PAYEE = '0x1111111111111111111111111111111111111111';

type PayableDeps = Pick<ResourcesDeps, 'payable' | 'checkPayTo'>;

/** What forms, documents and clients are generated from. */
export function describeKind(deps: PayableDeps, kind: ResourceKind): KindView {
  return {
    name: kind.name,
    title: kind.title,
    summary: kind.summary,
    configSchema: toJsonSchema(kind.configSchema, 'input'),
    settlementPoints: [...toSettlementPoints(kind)],
    answerSchema: toJsonSchema(kind.answerSchema, 'output'),
    answerExample: kind.answerExample,
    examples: kind.examples.map((example) => ({ draft: toDraft(deps, kind, example), input: toInput(example) })),
    mayAllowUserMessage: kind.allowsUserMessage !== undefined,
  };
}

function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  return z.toJSONSchema(schema, { io, unrepresentable: 'any' });
}

function toDraft({ payable, checkPayTo }: PayableDeps, kind: ResourceKind, example: DraftExample) {
  const { userMessage: _, parameters, config, ...told } = example;
  const network = payable.map((way) => way.network).find((one) => 'value' in checkPayTo(one, SOME_PAYEE));
  const place = network === undefined ? {} : { network, payTo: SOME_PAYEE };
  return { kind: kind.name, ...told, ...place, parameters, config };
}

function toInput({ parameters, userMessage }: DraftExample) {
  const input = toInputExample(parameters.map((parameter) => parameterSchema.parse(parameter)));
  return { ...input, ...(userMessage === undefined ? {} : { [USER_MESSAGE]: userMessage }) };
}
