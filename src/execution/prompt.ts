import { Problem, type FieldProblem } from '#kit/index.ts';
import {
  compileTemplate,
  renderTemplate,
  toTemplateFieldProblems,
  type CompiledTemplate,
  type Parameter,
} from '#resources/index.ts';
import type { ChatMessage } from '#upstreams/index.ts';

/** The templates of a resource, by the field of the config that holds them. */
export interface PromptTexts {
  systemPrompt: string;
  userMessage?: string | undefined;
}

export interface Prompt {
  system: CompiledTemplate;
  user: CompiledTemplate | null;
}

interface PromptRules {
  /** A parameter that is sent beside the prompt, and need not stand in it. */
  source?: string | null;
  /** No prompt is sent. */
  mayBeEmpty?: boolean;
}

/** Problems with their positions. A parameter may stand in either template; only one that stands in none is unused. */
export function checkPrompt(
  texts: PromptTexts,
  parameters: readonly Parameter[],
  { source = null, mayBeEmpty = false }: PromptRules = {},
): FieldProblem[] {
  const fields = toFields(texts);
  const problems = fields.flatMap(([field, text]) => {
    const result = compileTemplate(text, parameters);
    const found = result.ok ? [] : result.problems.filter((problem) => problem.code !== 'unused_parameter');
    return toTemplateFieldProblems(found, `/config/${field}`);
  });
  const unused = parameters.flatMap((parameter, index) =>
    parameter.name === source || fields.some(([, text]) => isUsed(text, parameter))
      ? []
      : [{ path: `/parameters/${index}`, message: `The parameter \`${parameter.name}\` is used in no template.` }],
  );
  const empty =
    !mayBeEmpty && texts.systemPrompt.trim() === ''
      ? [{ path: '/config/systemPrompt', message: 'Write a prompt.' }]
      : [];
  return [...empty, ...problems, ...unused];
}

/** For texts that `checkPrompt` has passed. */
export function compilePrompt(texts: PromptTexts, parameters: readonly Parameter[]): Prompt {
  return {
    system: compile(texts.systemPrompt, parameters),
    user: texts.userMessage === undefined ? null : compile(texts.userMessage, parameters),
  };
}

/**
 * The messages of one call: values replace tags literally and once. Without a user turn the prompt itself is the user
 * turn, because many providers refuse a conversation of a system message alone, and image models ignore one.
 */
export function renderMessages(prompt: Prompt, input: Record<string, unknown>, userMessage?: string): ChatMessage[] {
  const system = renderTemplate(prompt.system, input);
  const user = userMessage ?? (prompt.user === null ? '' : renderTemplate(prompt.user, input));
  return user.trim() === ''
    ? [{ role: 'user', content: system }]
    : [
        { role: 'system', content: system },
        { role: 'user', content: user },
      ];
}

function toFields(texts: PromptTexts): [string, string][] {
  const { systemPrompt, userMessage } = texts;
  return userMessage === undefined
    ? [['systemPrompt', systemPrompt]]
    : [
        ['systemPrompt', systemPrompt],
        ['userMessage', userMessage],
      ];
}

function isUsed(text: string, parameter: Parameter): boolean {
  const result = compileTemplate(text, [parameter]);
  return result.ok || !result.problems.some((problem) => problem.code === 'unused_parameter');
}

function compile(text: string, parameters: readonly Parameter[]): CompiledTemplate {
  const result = compileTemplate(
    text,
    parameters.filter((parameter) => isUsed(text, parameter)),
  );
  if (!result.ok) {
    throw new Problem('internal', { detail: 'A published template does not compile.' });
  }
  return result.template;
}
