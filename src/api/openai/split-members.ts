import { isObject, toPointer } from '#kit/index.ts';
import { refuse, type Asked, type Contract, type Given } from './asked.ts';

/** What a member that changes the answer comes to: refused with a reason, without effect under a name, or null: it asks for nothing. */
export type Judged = { refused: string } | { ignored: string } | null;

/** The members that one of OpenAI's requests has beside those that are read. */
export interface Dialect {
  read: ReadonlySet<string>;
  /** They shape the text that a model writes. The resource has its own settings. */
  hints: ReadonlySet<string>;
  /** They change what the client gets. */
  demands: Readonly<Record<string, (value: unknown, contract: Contract) => Judged>>;
}

/** Hold parameters by their names, and nothing else. */
const holders = ['parameters', 'extra_body'] as const;

/** Clients put tags of their own here too. */
const TAGS = 'metadata';

const sharedMembers: ReadonlySet<string> = new Set(['model', 'stream', 'stream_options', TAGS, ...holders]);

/**
 * Sorts the members of a request: values of parameters, what has no effect, and what is refused because an answer without it
 * would not be what was asked for. A member that is named like a parameter is that parameter; one that nobody knows is taken
 * for one, and refused by its name like any other field that the resource does not take. Throws a Problem.
 */
export function splitMembers(
  body: Readonly<Record<string, unknown>>,
  contract: Contract,
  dialect: Dialect,
): Omit<Asked, 'said'> {
  const given: Given[] = [];
  const ignored: string[] = [];
  const members = Object.entries(body).filter(([name, value]) => value !== null && !isRead(name, dialect));
  for (const [name, value] of members) {
    if (!contract.names.has(name) && Object.hasOwn(dialect.demands, name)) {
      ignored.push(...judge({ name, value }, contract, dialect));
    } else if (!contract.names.has(name) && dialect.hints.has(name)) {
      ignored.push(name);
    } else {
      given.push({ name, value, path: toPointer([name]) });
    }
  }
  given.push(...holders.flatMap((holder) => listHeld(body, holder)));
  const tags = listHeld(body, TAGS);
  given.push(...tags.filter(({ name }) => contract.names.has(name)));
  ignored.push(...tags.filter(({ name }) => !contract.names.has(name)).map(({ name }) => `${TAGS}.${name}`));
  return { given, ignored };
}

function isRead(name: string, { read }: Dialect): boolean {
  return read.has(name) || sharedMembers.has(name);
}

/** @returns what of it has no effect. */
function judge({ name, value }: Omit<Given, 'path'>, contract: Contract, { demands }: Dialect): string[] {
  const judged = demands[name]?.(value, contract) ?? null;
  if (judged && 'refused' in judged) {
    throw refuse(toPointer([name]), judged.refused);
  }
  return judged ? [judged.ignored] : [];
}

function listHeld(body: Readonly<Record<string, unknown>>, holder: string): Given[] {
  const held = body[holder] ?? {};
  if (!isObject(held)) {
    throw refuse(toPointer([holder]), `"${holder}" is an object with values by the names of parameters.`);
  }
  return Object.entries(held).map(([name, value]) => ({ name, value, path: toPointer([holder, name]) }));
}

/** Shared by both requests. */
export const refuseFilled =
  (reason: string) =>
  (value: unknown): Judged =>
    value === false || value === '' || (Array.isArray(value) && value.length === 0) ? null : { refused: reason };

export const refuseToolChoice = (value: unknown): Judged =>
  value === 'none' || value === 'auto' ? null : { refused: NO_TOOLS };

export const NO_TOOLS = 'Tools cannot be used here: a resource answers one request with one answer.';

/** The form of the text. A resource that promises JSON answers with JSON of its own schema. */
export function judgeFormat(format: unknown, { promisesJson }: Contract): Judged {
  const type = isObject(format) ? format['type'] : undefined;
  if (type === 'text' || (type === 'json_object' && promisesJson)) {
    return null;
  }
  return {
    refused: promisesJson
      ? 'This resource answers with JSON of its own schema: leave the format out, or ask for "json_object".'
      : 'This resource promises no JSON: leave the format out.',
  };
}
