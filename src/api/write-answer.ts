import type { Answered, Written } from './stream-answer.ts';
import { writeEvents } from './write-events.ts';

/** What a resource answers is no page of this origin, whatever its content type says. */
export const paidAnswer = {
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cache-Control': 'private, no-store',
  Vary: 'Accept, PAYMENT-SIGNATURE, X-PAYMENT, Authorization, Prefer',
};

/** Our own header for the receipt of an answer that has no room for it: base64 of its JSON. */
export const RECEIPT_HEADER = 'X-Farebox-Receipt';

/** Our own header for what of a request in another protocol had no effect. */
export const IGNORED_HEADER = 'X-Farebox-Ignored';

/** Our own header for the secret that later shows who the buyer is; with the first answer, and in requests. */
export const ANSWER_TOKEN_HEADER = 'X-Farebox-Answer-Token';

/**
 * Writes the answer of a call. JSON carries its receipt; bytes go out untouched with the receipt in a header; a stream goes
 * out as events.
 * @returns the status.
 */
export function writeAnswer(outcome: Answered, written: Written): number {
  const { answer } = outcome;
  const { res } = written;
  const { body } = answer;
  const headers = { ...written.headers, ...answer.headers, ...paidAnswer, 'Content-Type': answer.contentType };
  if (body.type === 'live') {
    void writeEvents(outcome, { ...written, headers });
    return answer.status;
  }
  res.once('finish', written.onSent);
  if (body.type === 'json') {
    // Text leaves in one write with the headers, bytes in two.
    const text = JSON.stringify(withReceipt(answer, body.json));
    res.writeHead(answer.status, { ...headers, 'Content-Length': Buffer.byteLength(text) }).end(text);
    return answer.status;
  }
  const { bytes } = body;
  const receipt = Buffer.from(JSON.stringify(answer.receipt)).toString('base64');
  res.writeHead(answer.status, { ...headers, [RECEIPT_HEADER]: receipt, 'Content-Length': bytes.length }).end(bytes);
  return answer.status;
}

function withReceipt({ isSimulated, isTest, receipt }: Answered['answer'], json: object): object {
  return { ...json, ...(isSimulated ? { simulated: true } : {}), ...(isTest ? { test: true } : {}), receipt };
}
