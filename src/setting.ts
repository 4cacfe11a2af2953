/** What settings are declared with: their forms and what the documentation says of them. Reads nothing. */
import { z } from 'zod';

export const url = (protocols: string) =>
  z.url({ protocol: new RegExp(`^(${protocols})$`), error: `must be a URL (${protocols.replaceAll('|', ' or ')})` });
/** A URL without path, query and user. */
export const origin = (protocols: string) =>
  url(protocols).refine(
    (text) => /^https?:\/\/[^/?#@]+\/?$/.test(text),
    'must be an origin only: no user, path, query or fragment',
  );
export const whole = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, error)
    .transform(Number)
    .refine((number) => number >= least && number <= most, error);
};
export const list = <Out>(item: z.ZodType<Out, string>) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(item));

export interface Setting<T extends z.ZodType = z.ZodType> {
  schema: T;
  summary: string;
  /** Shown in the documentation; the real default is in `schema`, or where it hangs on others in `complete` of src/config.ts. */
  byDefault: string;
  isSecret?: boolean;
}

export function setting<T extends z.ZodType>(schema: T, summary: string, byDefault: string): Setting<T> {
  return { schema, summary, byDefault };
}

export function secret<T extends z.ZodType>(schema: T, summary: string, byDefault: string): Setting<T> {
  return { schema, summary, byDefault, isSecret: true };
}
