import type { IncomingMessage } from 'node:http';
import { ANSWER_TOKEN_HEADER, RECEIPT_HEADER } from './write-answer.ts';

/** Of every answer about a paid call: any page may call it and read what it says. */
export const shared = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': `PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, ${RECEIPT_HEADER}, ${ANSWER_TOKEN_HEADER}, Allow, Location, Preference-Applied, Retry-After, WWW-Authenticate, X-Request-Id`,
  'X-Content-Type-Options': 'nosniff',
};

export function header(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
