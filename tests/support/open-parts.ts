import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

/** Buys an answer in parts and reads it line by line, as it comes. */
export async function openParts(url: string, { payment, topic }: { payment: string; topic: string }) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'PAYMENT-SIGNATURE': payment },
    body: JSON.stringify({ topic }),
  });
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  const lines = createInterface({ input: body })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    return done ? null : (JSON.parse(value) as Record<string, unknown>);
  };
  const rest = async () => {
    const read: Record<string, unknown>[] = [];
    for (let line = await next(); line !== null; line = await next()) {
      read.push(line);
    }
    return read;
  };
  return { response, next, rest, leave: () => body.destroy() };
}
