import type { BoundOperation } from '#kit/index.ts';

/** `PUT` makes or replaces what has one place of its own; clients that know only `POST` for saving a key get the same. */
const savesKey = /^PUT (\/api\/user\/integrations\/[^/:]+)$/;

/** Operations that are served a second time under another route (docs/names.md). They keep their name in the audit log. */
export function toAliases(operations: readonly BoundOperation[]): BoundOperation[] {
  return operations.flatMap((operation) => {
    const path = savesKey.exec(operation.route)?.[1];
    return path === undefined ? [] : [{ ...operation, route: `POST ${path}` as BoundOperation['route'] }];
  });
}

/** `body` is another name of `input` in `POST /api/execute`. */
export const inputNames = ['input', 'body'] as const;
