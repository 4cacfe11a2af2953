import { z } from 'zod';
import {
  compileTemplate,
  jsonAnswer,
  renderTemplate,
  toTemplateFieldProblems,
  type Evidence,
  type Parameter,
  type Readiness,
  type ResourceKind,
} from '#resources/index.ts';

const toyConfig = z.strictObject({
  template: z.string().min(1),
  model: z.string().default('toy/echo'),
  allowsUserMessage: z.boolean().default(false),
  needsKey: z.boolean().default(false),
});

type ToyConfig = z.output<typeof toyConfig>;

export interface ToyKind extends ResourceKind<ToyConfig> {
  /** What `isReady` answers; tests change it. */
  readiness: Readiness;
  /** What resources need whose config says `needsKey`. */
  service: string;
  /** Runs inside `checkPublishable`, so that a test can hold a publication open. */
  beforeCheck(): Promise<void>;
}

const evidence: Evidence = {
  attempts: 1,
  firstOutputMs: 0,
  costUsd: null,
  isSimulated: true,
  own: { model: 'toy/echo', provider: 'toy', finishReason: 'stop' },
};

/** A whole kind that answers with its own rendered template. */
export function openToyKind(name = 'toy'): ToyKind {
  const toy: ToyKind = {
    name,
    title: 'Toy',
    summary: 'Answers with its own rendered template.',
    configSchema: toyConfig,
    evidenceSchema: z.object({ model: z.string(), provider: z.string(), finishReason: z.string() }),
    answerSchema: z.object({ response: z.string() }),
    answerExample: { response: 'Hello.' },
    examples: [
      {
        slug: 'greeting',
        name: 'Greeting',
        description: 'Greets anybody.',
        category: 'ai',
        priceUsdc: '0.01',
        parameters: [{ name: 'name', type: 'string', example: 'Ada' }],
        config: { template: 'Hello {name}{/name}.' },
      },
    ],
    templateFields: ['template'],
    readiness: { ready: true },
    service: 'openrouter',
    beforeCheck: async () => {},
    checkPublishable: async ({ template }, parameters: Parameter[]) => {
      await toy.beforeCheck();
      const compiled = compileTemplate(template, parameters);
      return compiled.ok ? [] : toTemplateFieldProblems(compiled.problems, '/config/template');
    },
    toPublic: ({ model }) => ({ model }),
    allowsUserMessage: (config) => config.allowsUserMessage,
    integrationOf: (config) => (config.needsKey ? toy.service : null),
    isReady: async () => toy.readiness,
    run: async (version, input) => {
      const compiled = compileTemplate((version.config as ToyConfig).template, version.parameters);
      return compiled.ok
        ? { ok: true, answer: jsonAnswer({ response: renderTemplate(compiled.template, input) }), evidence }
        : { ok: false, problem: 'upstream_failed', cause: 'The template does not compile.', evidence };
    },
  };
  return toy;
}
