import type { FieldProblem } from '#kit/index.ts';
import { PARAMETER_NAME, type Parameter } from './parameter.ts';

/** Parts in order; rendering is a join. */
export interface CompiledTemplate {
  segments: ({ text: string } | { name: string })[];
}

/** `offset` counts UTF-16 code units from 0; `line` and `column` count from 1. */
export interface TemplateProblem {
  code: 'too_large' | 'unknown_tag' | 'unused_parameter' | 'mismatched_tag' | 'unclosed_tag' | 'bad_name';
  message: string;
  offset: number;
  line: number;
  column: number;
}

export type TemplateResult = { ok: true; template: CompiledTemplate } | { ok: false; problems: TemplateProblem[] };

interface Token {
  kind: 'tag' | 'open' | 'close';
  name: string;
  closeName: string;
  start: number;
  end: number;
}

const MAX_TEMPLATE_BYTES = 100 * 1024;
const MAX_PROBLEMS = 50;

/**
 * Grammar: `{name}{/name}` stands for the parameter's value. A backslash directly before what looks like a tag makes it
 * literal (`\{name}{/name}`), two make one backslash before a real tag; elsewhere a backslash is itself, and so is a
 * brace that opens no tag. A lone `{name}` is literal unless `name` is a parameter: then its close tag was forgotten.
 */
export function compileTemplate(text: string, parameters: readonly Pick<Parameter, 'name'>[]): TemplateResult {
  const locate = locator(text);
  if (Buffer.byteLength(text) > MAX_TEMPLATE_BYTES) {
    const message = `The template is larger than ${MAX_TEMPLATE_BYTES / 1024} KB.`;
    return { ok: false, problems: [{ code: 'too_large', message, ...locate(0) }] };
  }
  const known = new Set(parameters.map((parameter) => parameter.name));
  const unused = new Set(known);
  const problems: TemplateProblem[] = [];
  const segments: CompiledTemplate['segments'] = [];
  let literal = '';
  let position = 0;
  for (const token of scan(text)) {
    const slashes = countSlashes(text, position, token.start);
    literal += text.slice(position, token.start - Math.ceil(slashes / 2));
    position = token.end;
    const isEscaped = slashes % 2 === 1;
    const problem = isEscaped ? null : findTokenProblem(token, known);
    if (problem) {
      problems.push({ ...problem, ...locate(token.start) });
    }
    if (isEscaped || token.kind !== 'tag') {
      literal += text.slice(token.start, token.end);
      continue;
    }
    unused.delete(token.name);
    segments.push({ text: literal }, { name: token.name });
    literal = '';
  }
  segments.push({ text: literal + text.slice(position) });
  problems.push(...[...unused].map((name) => toUnused(name, locate)));
  return problems.length > 0
    ? { ok: false, problems: problems.slice(0, MAX_PROBLEMS) }
    : { ok: true, template: { segments: segments.filter((segment) => !('text' in segment) || segment.text !== '') } };
}

/** One pass: values are neither interpreted nor looked at for tags. A parameter without a value renders as nothing. */
export function renderTemplate(template: CompiledTemplate, input: Readonly<Record<string, unknown>>): string {
  let rendered = '';
  for (const segment of template.segments) {
    rendered += 'text' in segment ? segment.text : toText(input, segment.name);
  }
  return rendered;
}

/** For the `errors` of a Problem: the position stands in the message, `path` points at the template or the parameter. */
export function toTemplateFieldProblems(problems: readonly TemplateProblem[], path: string): FieldProblem[] {
  return problems.map(({ code, message, line, column }) => ({
    path,
    message:
      code === 'unused_parameter' || code === 'too_large' ? message : `Line ${line}, column ${column}: ${message}`,
  }));
}

/**
 * `\{name}{/name}` for every piece of `text` that would otherwise be read as a tag.
 * @internal for its test, which makes templates of any text.
 */
export function escapeTemplate(text: string): string {
  let escaped = '';
  let position = 0;
  for (const token of scan(text)) {
    const slashes = countSlashes(text, position, token.start);
    escaped += `${text.slice(position, token.start)}${'\\'.repeat(slashes + 1)}${text.slice(token.start, token.end)}`;
    position = token.end;
  }
  return escaped + text.slice(position);
}

function toText(input: Readonly<Record<string, unknown>>, name: string): string {
  const value = Object.hasOwn(input, name) ? input[name] : undefined;
  if (value === undefined || value === null) {
    return '';
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Everything that looks like a tag, whole or half, whether a backslash stands before it or not. Linear in the text. */
function* scan(text: string): Generator<Token> {
  let start = text.indexOf('{');
  while (start !== -1) {
    const token = readToken(text, start);
    if (token) {
      yield token;
    }
    start = text.indexOf('{', token ? token.end : start + 1);
  }
}

function readToken(text: string, start: number): Token | null {
  const first = readBraces(text, start);
  if (!first) {
    return null;
  }
  const name = first.content;
  if (name.startsWith('/')) {
    const isClose = PARAMETER_NAME.test(name.slice(1));
    return isClose ? { kind: 'close', name, closeName: name.slice(1), start, end: first.end } : null;
  }
  const second = readBraces(text, first.end);
  const closeName = second?.content.startsWith('/') ? second.content.slice(1) : null;
  const isName = PARAMETER_NAME.test(name);
  if (second && closeName !== null && (closeName === name || (isName && PARAMETER_NAME.test(closeName)))) {
    return { kind: 'tag', name, closeName, start, end: second.end };
  }
  return isName ? { kind: 'open', name, closeName: '', start, end: first.end } : null;
}

/** `{content}` at `start`, where the content holds no brace and no line break. */
function readBraces(text: string, start: number): { content: string; end: number } | null {
  if (text[start] !== '{') {
    return null;
  }
  for (let index = start + 1; index < text.length; index += 1) {
    const character = text[index];
    if (character === '}') {
      return { content: text.slice(start + 1, index), end: index + 1 };
    }
    if (character === '{' || character === '\n' || character === '\r') {
      return null;
    }
  }
  return null;
}

function countSlashes(text: string, from: number, to: number): number {
  let index = to;
  while (index > from && text[index - 1] === '\\') {
    index -= 1;
  }
  return to - index;
}

type Finding = Pick<TemplateProblem, 'code' | 'message'>;

/** Names that are not identifiers are not repeated in the message: they may be a piece of the prompt. */
function findTokenProblem(token: Token, known: ReadonlySet<string>): Finding | null {
  const { name, closeName } = token;
  const escapeHint = 'To keep it as text, put a backslash before it.';
  if (token.kind === 'open') {
    const message = `\`{${name}}\` has no close tag. Write \`{${name}}{/${name}}\`. ${escapeHint}`;
    return known.has(name) ? { code: 'unclosed_tag', message } : null;
  }
  if (token.kind === 'close') {
    const message = `This close tag does not directly follow its open tag: write \`{name}{/name}\`. ${escapeHint}`;
    return { code: 'mismatched_tag', message };
  }
  if (!PARAMETER_NAME.test(name)) {
    const message = `A tag's name starts with a letter or _, then letters, digits or _, at most 40. ${escapeHint}`;
    return { code: 'bad_name', message };
  }
  if (name !== closeName) {
    const message = `\`{${name}}\` is closed by \`{/${closeName}}\`. Write \`{${name}}{/${name}}\`. ${escapeHint}`;
    return { code: 'mismatched_tag', message };
  }
  const message = `There is no parameter \`${name}\`. Declare it or remove the tag. ${escapeHint}`;
  return known.has(name) ? null : { code: 'unknown_tag', message };
}

type Locate = (offset: number) => Pick<TemplateProblem, 'offset' | 'line' | 'column'>;

function toUnused(name: string, locate: Locate): TemplateProblem {
  const message = `The parameter \`${name}\` is used nowhere. Write \`{${name}}{/${name}}\` where its value belongs, or remove it.`;
  return { code: 'unused_parameter', message, ...locate(0) };
}

/** Offsets must be asked for in rising order, except 0: one walk over the line breaks serves them all. */
function locator(text: string): Locate {
  let line = 1;
  let lineStart = 0;
  const breaks = text.matchAll(/\r\n|\n|\r/g);
  let next = breaks.next();
  return (offset) => {
    if (offset === 0) {
      return { offset, line: 1, column: 1 };
    }
    while (!next.done && next.value.index + next.value[0].length <= offset) {
      line += 1;
      lineStart = next.value.index + next.value[0].length;
      next = breaks.next();
    }
    return { offset, line, column: offset - lineStart + 1 };
  };
}
