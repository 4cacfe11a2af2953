import type { z } from 'zod';
import type { Operations } from '../../src/operations.ts';
import { listDeclared } from './operation-requests.ts';
import type { Creator } from './start-app.ts';

type Served = Operations[number];

/** What each operation takes and answers, by its name: derived from the declarations. */
export type OperationTypes = {
  [One in Served as One['name']]: { input: z.input<One['input']>; output: z.output<One['output']> };
};

/** A client whose calls are checked by the compiler. `call` sends a request of the management API. */
export function openTypedClient(call: Creator['call']) {
  const declared = new Map(listDeclared().map((operation) => [operation.name, operation]));
  return async <Name extends keyof OperationTypes>(
    name: Name,
    input: OperationTypes[Name]['input'],
  ): Promise<OperationTypes[Name]['output']> => {
    const { method = '', pattern = '' } = declared.get(name) ?? {};
    const rest = new Map(Object.entries(input as Record<string, unknown>));
    const path = pattern.replaceAll(/:(\w+)/g, (_, field: string) => {
      const value = rest.get(field);
      rest.delete(field);
      return encodeURIComponent(String(value));
    });
    const query = new URLSearchParams([...rest].map(([field, value]): [string, string] => [field, String(value)]));
    const { status, body } =
      method === 'GET'
        ? await call(method, rest.size > 0 ? `${path}?${query.toString()}` : path)
        : await call(method, path, Object.fromEntries(rest));
    if (status >= 300) {
      throw new Error(`${name} answered ${status}: ${JSON.stringify(body)}`);
    }
    return body as OperationTypes[Name]['output'];
  };
}
