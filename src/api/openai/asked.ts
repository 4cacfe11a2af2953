import { Problem } from '#kit/index.ts';
import type { Callable } from '#gateway/index.ts';
import { USER_MESSAGE, type MediaType, type Parameter } from '#resources/index.ts';

/** A request in OpenAI's words, read. */
export interface Asked {
  said: Said;
  given: readonly Given[];
  /** Names of what has no effect here. */
  ignored: readonly string[];
}

/** What the user's message holds. */
export interface Said {
  text: string;
  files: readonly SaidFile[];
  /** JSON Pointer into the request. */
  path: string;
  /** Names of what has no effect here. */
  ignored: readonly string[];
}

export interface SaidFile {
  kind: MediaType;
  /** As the value of a parameter: a URL, a data URL or `upload:<id>`. */
  value: string;
  path: string;
}

/** A value that the request names a parameter for. */
export interface Given {
  name: string;
  value: unknown;
  path: string;
}

/** What of a resource decides how a request is read. */
export interface Contract {
  parameters: readonly Parameter[];
  /** Of everything that may be sent, `user_message` included. */
  names: ReadonlySet<string>;
  takesUserMessage: boolean;
  promisesJson: boolean;
}

export function toContract({ version, promisesJson }: Callable): Contract {
  const names = new Set(Object.keys((version.inputSchema['properties'] ?? {}) as object));
  return { parameters: version.parameters, names, takesUserMessage: names.has(USER_MESSAGE), promisesJson };
}

export function refuse(path: string, detail: string): Problem {
  return new Problem('invalid_input', { detail, fields: [{ path, message: detail }] });
}
