import { z } from 'zod';

/**
 * An amount in JSON is text: a number there is a double, which many amounts are not. `form` tells what is wanted, with an
 * example; it is told for a number too, which is what most people send first. Without a pattern the text is judged elsewhere.
 */
export function decimalText(form: string, pattern?: RegExp): z.ZodString {
  const error = ({ input }: { input?: unknown }): string | undefined =>
    typeof input === 'number' ? `must be text in quotes, not a number: ${form}` : undefined;
  const text = z.string({ error });
  return pattern ? text.regex(pattern, `must be ${form}`) : text;
}

/** What an account is willing to spend. */
export const usdAmount = decimalText(
  'USD as a plain decimal with at most 6 places, such as "5" or "0.25"',
  /^(0|[1-9]\d{0,5})(\.\d{1,6})?$/,
);
