import { Problem, type FieldProblem } from '#kit/index.ts';
import {
  compileTemplate,
  isMedia,
  renderTemplate,
  toTemplateFieldProblems,
  type CompiledTemplate,
  type Parameter,
} from '#resources/index.ts';
import type { ChatMessage, ContentPart } from '#upstreams/index.ts';
import { describeFiles, type Attachments } from './inputs/attach-files.ts';
import { remember } from './remember.ts';

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
  /** Parameters that are sent beside the prompt, and need not stand in it. */
  beside?: readonly string[];
  /** No prompt is sent. */
  mayBeEmpty?: boolean;
}

/**
 * Problems with their positions. A parameter may stand in either template; only one that stands in none is unused. A file
 * needs no tag: without one it follows the text.
 */
export function checkPrompt(
  texts: PromptTexts,
  parameters: readonly Parameter[],
  { beside = [], mayBeEmpty = false }: PromptRules = {},
): FieldProblem[] {
  const fields = toFields(texts);
  const problems = fields.flatMap(([field, text]) => {
    const result = compileTemplate(text, parameters);
    const found = result.ok ? [] : result.problems.filter((problem) => problem.code !== 'unused_parameter');
    return toTemplateFieldProblems(found, `/config/${field}`);
  });
  const unused = parameters.flatMap((parameter, index) =>
    isMedia(parameter) || beside.includes(parameter.name) || fields.some(([, text]) => isUsed(text, parameter))
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

interface Said {
  /** A message of the buyer, in place of the user's template. */
  userMessage?: string | undefined;
  /** The files of the call by the names of their parameters. */
  files?: Attachments;
}

/**
 * The messages of one call: values replace tags literally and once. Without a user turn the prompt itself is the user
 * turn, because many providers refuse a conversation of a system message alone, and image models ignore one. Files are
 * always the user's, where their tag stands; in front of what the user says where it stands in the system prompt, which
 * then names them; and behind it where they have no tag.
 */
export function renderMessages(
  prompt: Prompt,
  input: Readonly<Record<string, unknown>>,
  { userMessage, files = new Map() }: Said = {},
): ChatMessage[] {
  const user = userMessage === undefined ? renderParts(prompt.user, { input, files }) : [toTextPart(userMessage)];
  const inUser = userMessage === undefined ? listNames(prompt.user) : [];
  const inSystem = listNames(prompt.system);
  const untagged = [...files].filter(([name]) => !inSystem.includes(name) && !inUser.includes(name));
  const after = untagged.map(([, part]) => part);
  if (toPlain(user).trim() === '' && !user.some(isFile)) {
    return [{ role: 'user', content: toContent([...renderParts(prompt.system, { input, files }), ...after]) }];
  }
  const moved = [...files].filter(([name]) => inSystem.includes(name) && !inUser.includes(name));
  const before = moved.flatMap(([name, part]) => [toLabel(name, ': '), part]);
  const named = new Map([...files.keys()].map((name) => [name, toLabel(name)]));
  return [
    { role: 'system', content: toPlain(renderParts(prompt.system, { input, files: named })) },
    { role: 'user', content: toContent([...before, ...user, ...after]) },
  ];
}

interface Shown {
  input: Readonly<Record<string, unknown>>;
  parameters: readonly Parameter[];
  userMessage?: string | undefined;
}

/** The same as text alone, with words in place of the files. */
export function showMessages(
  prompt: Prompt,
  { input, parameters, userMessage }: Shown,
): { role: string; content: string }[] {
  const messages = renderMessages(prompt, input, { userMessage, files: describeFiles(parameters, input) });
  return messages.map(({ role, content }) => ({ role, content: typeof content === 'string' ? content : '' }));
}

/** The templates as plain texts, for models whose files are sent beside the prompt: a file's tag names it. */
export function renderTexts(prompt: Prompt, { input, parameters }: Omit<Shown, 'userMessage'>): string[] {
  const given = parameters.filter((parameter) => isMedia(parameter) && input[parameter.name] !== undefined);
  const files = new Map(given.map(({ name }) => [name, toLabel(name)]));
  const texts = [prompt.system, prompt.user].map((template) => toPlain(renderParts(template, { input, files })));
  return texts.filter((text) => text.trim() !== '');
}

interface Values {
  input: Readonly<Record<string, unknown>>;
  files: Attachments;
}

/** Each file once, since each costs: further tags name it. */
function renderParts(template: CompiledTemplate | null, { input, files }: Values): ContentPart[] {
  const placed = new Set<string>();
  return (template?.segments ?? []).map((segment) => {
    const file = 'name' in segment ? files.get(segment.name) : undefined;
    if (file === undefined || !('name' in segment)) {
      return toTextPart(renderTemplate({ segments: [segment] }, input));
    }
    const isFirst = !placed.has(segment.name);
    placed.add(segment.name);
    return isFirst ? file : toLabel(segment.name);
  });
}

function toLabel(name: string, after = ''): ContentPart & { type: 'text' } {
  return toTextPart(`[${name}]${after}`);
}

/** Of the tags, once each and in their order. */
function listNames(template: CompiledTemplate | null): readonly string[] {
  return template === null ? [] : listTags(template);
}

const listTags = remember(({ segments }: CompiledTemplate): readonly string[] => {
  const names = segments.flatMap((segment) => ('name' in segment ? [segment.name] : []));
  return [...new Set(names)];
});

/** Text alone stays text, as every upstream takes it. */
function toContent(parts: readonly ContentPart[]): ChatMessage['content'] {
  return parts.some(isFile) ? join(parts) : toPlain(parts);
}

/** Texts that follow each other are one. */
function join(parts: readonly ContentPart[]): ContentPart[] {
  const joined: ContentPart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.type === 'text' && last?.type === 'text') {
      joined[joined.length - 1] = toTextPart(last.text + part.text);
    } else {
      joined.push(part);
    }
  }
  return joined.filter((part) => part.type !== 'text' || part.text !== '');
}

function toPlain(parts: readonly ContentPart[]): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

function toTextPart(text: string): ContentPart & { type: 'text' } {
  return { type: 'text', text };
}

function isFile({ type }: ContentPart): boolean {
  return type === 'media';
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
