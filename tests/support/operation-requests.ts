import { listOperations } from '../../src/operations.ts';
import type { RawRequest } from './send-raw.ts';

export interface DeclaredOperation {
  name: string;
  method: string;
  pattern: string;
  scope: string;
}

/** Every operation of the app, without what it would need to run. */
export function bindNothing() {
  const nothing = { accounts: {}, models: {}, resources: {}, integrations: {}, secrets: {}, usage: {} };
  return listOperations(nothing as unknown as Parameters<typeof listOperations>[0]);
}

/** How each of them is asked for. */
export function listDeclared(): DeclaredOperation[] {
  return bindNothing().map(({ name, route, scope }) => {
    const [method = '', pattern = ''] = route.split(' ');
    return { name, method, pattern, scope };
  });
}

/** A request of the operation with these ids in its path; it lacks a body that makes sense unless one is given. */
export function toRequest(
  { method, pattern }: DeclaredOperation,
  ids: Readonly<Record<string, string>>,
  body: unknown = {},
): RawRequest {
  const path = pattern.replaceAll(/:(\w+)/g, (_, name: string) => ids[name] ?? crypto.randomUUID());
  return method === 'GET'
    ? { path }
    : { method, path, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}
