import type { ServerResponse } from 'node:http';
import type { LivePart } from '#gateway/index.ts';
import { toProblemJson, type Problem } from '#kit/index.ts';
import { openEventStream, type EventStream } from '../event-stream.ts';
import { toProblemAnswer } from '../problem.ts';
import { IGNORED_HEADER, paidAnswer, RECEIPT_HEADER, type Answered } from '../write-answer.ts';
import type { Form, Reply, StreamForm } from './form.ts';
import { gatherAnswer, readAnswer, type SaidAnswer } from './read-answer.ts';
import { toOpenaiError } from './to-openai-error.ts';

interface Written {
  res: ServerResponse;
  requestId: string;
  headers: Readonly<Record<string, string>>;
  form: Form;
  reply: Reply;
  isStream: boolean;
  /** The whole answer has left. */
  onSent(): void;
}

/** Writes the answer of a call in one of OpenAI's forms, at once or as events. @returns the status. */
export async function writeReply({ answer }: Answered, written: Written): Promise<number> {
  const { res, requestId, form, reply, isStream } = written;
  const headers = { ...written.headers, ...paidAnswer, ...toTold(written) };
  if (isStream) {
    await writeStream(answer, written, openEventStream(res, { status: 200, headers }));
    return 200;
  }
  const { said, problem } =
    answer.body.type === 'live'
      ? await gatherAnswer(answer.body.parts)
      : { said: readAnswer(answer, answer.body), problem: null };
  if (problem) {
    const error = toProblemAnswer(problem, { requestId, charged: true, form: 'openai' });
    res.writeHead(error.status, { ...headers, ...error.headers }).end(error.body);
    return error.status;
  }
  res.once('finish', written.onSent);
  const body = Buffer.from(JSON.stringify(form.toJson(reply, said)));
  res.writeHead(200, { ...headers, 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body);
  return 200;
}

/** Names that a stranger may have made up go out only where they can stand in a header. */
function toTold({ reply }: Written): Record<string, string> {
  const ignored = reply.ignored.filter((name) => /^[\w.-]{1,64}$/.test(name)).slice(0, 50);
  return {
    [RECEIPT_HEADER]: Buffer.from(JSON.stringify(reply.answer.receipt)).toString('base64'),
    ...(ignored.length > 0 ? { [IGNORED_HEADER]: ignored.join(', ') } : {}),
  };
}

/** As fast as the client reads. A client that has gone is not waited for; the gateway finishes the answer either way. */
async function writeStream(
  { body, ...answer }: Answered['answer'],
  written: Written,
  events: EventStream,
): Promise<void> {
  const form = written.form.openStream(written.reply);
  try {
    await sendAll(events, form.begin());
    if (body.type === 'live') {
      const { said, problem } = await gatherAnswer(body.parts, (part) => sendPart(events, form, part));
      await (problem
        ? sendFailure(events, form, { ...written, problem })
        : sendEnd(events, form, { ...written, said }));
    } else {
      const said = readAnswer(answer, body);
      await sendAll(events, said.text === '' ? [] : form.text(said.text));
      await sendEnd(events, form, { ...written, said });
    }
  } catch {
    written.res.destroy();
  }
}

async function sendAll(events: EventStream, list: ReturnType<StreamForm['begin']>): Promise<void> {
  for (const event of list) {
    await events.send(event);
  }
}

async function sendPart(events: EventStream, form: StreamForm, part: LivePart): Promise<void> {
  if (part.type === 'delta') {
    await sendAll(events, form.text(part.text));
  }
}

type Ended = Pick<Written, 'res' | 'requestId' | 'onSent'>;

async function sendEnd(events: EventStream, form: StreamForm, ended: Ended & { said: SaidAnswer }): Promise<void> {
  ended.res.once('finish', ended.onSent);
  await sendAll(events, form.end(ended.said));
  events.end();
}

async function sendFailure(events: EventStream, form: StreamForm, ended: Ended & { problem: Problem }): Promise<void> {
  const { problem, requestId } = ended;
  await sendAll(events, form.fail(toOpenaiError(toProblemJson(problem, { requestId, charged: true }))));
  events.end();
}
