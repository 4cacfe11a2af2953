import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { toProblemJson } from '#kit/index.ts';
import { withMedia, type CallOutcome } from '#gateway/index.ts';
import type { MediaReference } from '#resources/index.ts';

export type Answered = CallOutcome & { kind: 'answer' };

interface Written {
  res: ServerResponse;
  requestId: string;
  headers: Readonly<Record<string, string>>;
  /** The whole answer has left. */
  onSent(): void;
}

/** What a resource answers is no page of this origin, whatever its content type says. */
export const paidAnswer = {
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cache-Control': 'private, no-store',
  Vary: 'PAYMENT-SIGNATURE, X-PAYMENT, Authorization',
};

/** Our own header for the receipt of an answer that has no room for it: base64 of its JSON. */
export const RECEIPT_HEADER = 'X-Farebox-Receipt';

/** Our own header for what of a request in another protocol had no effect. */
export const IGNORED_HEADER = 'X-Farebox-Ignored';

/** Our own header for the secret that later shows who the buyer is; with the first answer, and in requests. */
export const ANSWER_TOKEN_HEADER = 'X-Farebox-Answer-Token';

/**
 * Writes the answer of a call. JSON carries its receipt; bytes go out untouched with the receipt in a header; an answer in
 * parts goes out as newline-delimited JSON, one part a line, its receipt and then `done` or `error` at the end.
 * @returns the status.
 */
export function writeAnswer(outcome: Answered, written: Written): number {
  const { answer } = outcome;
  const { res } = written;
  const headers = { ...written.headers, ...answer.headers, ...paidAnswer, 'Content-Type': answer.contentType };
  if (answer.body.type === 'live') {
    res.writeHead(answer.status, { ...headers, 'Content-Type': 'application/x-ndjson' });
    void writeParts(answer, written);
    return answer.status;
  }
  res.once('finish', written.onSent);
  if (answer.body.type === 'json') {
    const body = Buffer.from(JSON.stringify(withReceipt(answer, answer.body.json)));
    res.writeHead(answer.status, { ...headers, 'Content-Length': body.length }).end(body);
    return answer.status;
  }
  const { bytes } = answer.body;
  const receipt = Buffer.from(JSON.stringify(answer.receipt)).toString('base64');
  res.writeHead(answer.status, { ...headers, [RECEIPT_HEADER]: receipt, 'Content-Length': bytes.length }).end(bytes);
  return answer.status;
}

function withReceipt({ isSimulated, isTest, receipt }: Answered['answer'], json: object): object {
  return { ...json, ...(isSimulated ? { simulated: true } : {}), ...(isTest ? { test: true } : {}), receipt };
}

/** As fast as the client reads. A client that has gone is not waited for; the gateway finishes the answer either way. */
async function writeParts({ body, receipt, isSimulated }: Answered['answer'], written: Written): Promise<void> {
  const { res, requestId } = written;
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const line = async (value: object): Promise<void> => {
    if (!res.write(`${JSON.stringify(value)}\n`)) {
      await once(res, 'drain', { signal: gone.signal });
    }
  };
  const media: MediaReference[] = [];
  try {
    for await (const part of body.type === 'live' ? body.parts : []) {
      if (gone.signal.aborted) {
        return;
      }
      if (part.type === 'media') {
        media.push(part.media);
      }
      if (part.type === 'done') {
        await line({
          type: 'receipt',
          receipt: withMedia(receipt, media),
          ...(isSimulated ? { simulated: true } : {}),
        });
        res.once('finish', written.onSent);
      }
      await line(part.type === 'error' ? toErrorLine(part.problem, requestId) : part);
    }
    res.end();
  } catch {
    res.destroy();
  }
}

function toErrorLine(problem: Error, requestId: string): object {
  return { type: 'error', problem: toProblemJson(problem, { requestId, charged: true }) };
}
