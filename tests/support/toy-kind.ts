import { z } from 'zod';
import type { Json } from '#kit/index.ts';
import {
  compileTemplate,
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
  model: 'toy/echo',
  provider: 'toy',
  generationId: null,
  inputTokens: null,
  outputTokens: null,
  costUsd: null,
  finishReason: 'stop',
  firstTokenMs: 0,
  attempts: 1,
  isSimulated: true,
};

/** A whole kind that answers with its own rendered template. */
export function openToyKind(name = 'toy'): ToyKind {
  const toy: ToyKind = {
    name,
    title: 'Toy',
    summary: 'Answers with its own rendered template.',
    configSchema: toyConfig,
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
      const response: Json = compiled.ok ? renderTemplate(compiled.template, input) : '';
      return compiled.ok
        ? { ok: true, answer: { response }, evidence }
        : { ok: false, problem: 'upstream_failed', cause: 'The template does not compile.', evidence };
    },
  };
  return toy;
}
