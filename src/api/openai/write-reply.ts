import { toProblemJson, type Problem } from '#kit/index.ts';
import type { EventStream, ServerEvent } from '../event-stream.ts';
import { streamAnswer, type Answered, type Written } from '../stream-answer.ts';
import { IGNORED_HEADER, paidAnswer, RECEIPT_HEADER } from '../write-answer.ts';
import type { Form, Reply } from './form.ts';
import { gatherAnswer, readAnswer, type Gathered } from './read-answer.ts';
import { toOpenaiError } from './to-openai-error.ts';

interface Replied extends Written {
  form: Form;
  reply: Reply;
  isStream: boolean;
}

/** Writes the answer of a call in one of OpenAI's forms, at once or as events. @returns the status. */
export function writeReply(outcome: Answered, replied: Replied): number {
  const { res, form, reply, onSent, isStream } = replied;
  const { answer } = outcome;
  const headers = { ...replied.headers, ...paidAnswer, ...toTold(replied) };
  if (isStream || answer.body.type === 'live') {
    void streamAnswer(outcome, { ...replied, headers }, (stream) => sendAnswer(stream, outcome, replied));
    return 200;
  }
  res.once('finish', onSent);
  const body = Buffer.from(JSON.stringify(form.toJson(reply, readAnswer(answer, answer.body))));
  res.writeHead(200, { ...headers, 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body);
  return 200;
}

function toTold({ reply }: Replied): Record<string, string> {
  const receipt = Buffer.from(JSON.stringify(reply.answer.receipt)).toString('base64');
  return { [RECEIPT_HEADER]: receipt, ...toIgnoredHeader(reply.ignored) };
}

/** Names that a stranger may have made up go out only where they can stand in a header. */
export function toIgnoredHeader(names: readonly string[]): Record<string, string> {
  const ignored = names.filter((name) => /^[\w.-]{1,64}(?: \(\d{1,9} earlier\))?$/.test(name)).slice(0, 50);
  return ignored.length > 0 ? { [IGNORED_HEADER]: ignored.join(', ') } : {};
}

/** `false`: it broke off. */
async function sendAnswer(stream: EventStream, outcome: Answered, replied: Replied): Promise<boolean> {
  const { answer, isPaid } = outcome;
  const form = replied.form.openStream(replied.reply);
  let isSpoken = false;
  const sendAll = async (events: readonly ServerEvent[]): Promise<void> => {
    for (const event of events) {
      await stream.send(event);
    }
  };
  const sendText = async (text: string): Promise<void> => {
    isSpoken = true;
    await sendAll(form.text(text));
  };
  await sendAll(form.begin());
  const ended: Gathered =
    answer.body.type === 'live'
      ? await gatherAnswer(answer.body.parts, sendText)
      : { said: readAnswer(answer, answer.body) };
  if (ended === null) {
    return false;
  }
  if ('problem' in ended) {
    await sendAll(form.fail(toError(ended.problem, { ...replied, isPaid })));
    return true;
  }
  if (!isSpoken && ended.said.text !== '') {
    await sendText(ended.said.text);
  }
  replied.res.once('finish', replied.onSent);
  await sendAll(form.end(ended.said));
  return true;
}

function toError(problem: Problem, { requestId, isPaid }: { requestId: string; isPaid: boolean }): object {
  return toOpenaiError(toProblemJson(problem, { requestId, ...(isPaid ? { charged: true } : {}) }));
}
