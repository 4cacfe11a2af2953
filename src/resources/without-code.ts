/** A cause as people read it: `model_gone: Choose another.` without the code, which is for programs. */
export function withoutCode(cause: string): string {
  return cause.replace(/^[a-z][a-z0-9_]*: /, '');
}
