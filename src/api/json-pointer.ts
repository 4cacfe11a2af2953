/** RFC 6901: `['a/b', 0]` -> `/a~1b/0`; the whole document is the empty text. */
export function toPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
