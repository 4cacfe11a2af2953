import { sendRaw, type RawAnswer, type RawRequest } from './send-raw.ts';

/** One answer, and who got it. */
interface Received {
  who: string;
  what: string;
  /** Status, headers and body as text. */
  text: string;
}

export interface RecordedBrowser {
  received: Received[];
  ask(who: string, request: RawRequest): Promise<RawAnswer>;
}

/** Sends requests in somebody's name and keeps all that comes back. Credentials are added by name. */
export function openRecordedBrowser(
  origin: string,
  credentials: Readonly<Record<string, Record<string, string>>>,
): RecordedBrowser {
  const received: Received[] = [];
  return {
    received,
    ask: async (who, request) => {
      const isJson = request.body !== undefined && request.headers?.['Content-Type'] === undefined;
      const headers = {
        ...credentials[who],
        ...(isJson ? { 'Content-Type': 'application/json' } : {}),
        ...request.headers,
      };
      const answer = await sendRaw(origin, { ...request, headers });
      const text = `${answer.status} ${JSON.stringify(answer.headers)}\n${answer.text}`;
      received.push({
        who,
        what: `${request.method ?? 'GET'} ${request.path}`,
        text: `${text}\n${decodeHeaders(answer)}`,
      });
      return answer;
    },
  };
}

/** x402 headers are base64 of JSON: what they hide counts as said. */
function decodeHeaders({ headers }: RawAnswer): string {
  return ['payment-required', 'payment-response', 'x-payment-response']
    .map((name) => Buffer.from(String(headers[name] ?? ''), 'base64').toString())
    .join('\n');
}
