import type { Completion } from './completion.ts';
import type { JobEnd } from './media/job-end.ts';
import type { Refusal } from './refusal.ts';
import type { Frame, StreamParts } from './wire.ts';

/**
 * One way to go wrong. To add one, add a line to the table of its kind; it is then reachable by the model slug
 * `sim/<name>`, by the header `x-sim-fault: <name>` and by `control.fail(<name>)`.
 */
export interface Fault {
  /** Answered at once, before any work and before the key is looked at. */
  refusal?: Refusal;
  /** An HTML page of a proxy in between instead of an answer of OpenRouter. */
  page?: { status: number; html: string };
  /** The connection is reset, or stays silent, instead of an answer. */
  connection?: 'reset' | 'hang';
  /** What the model did differently. */
  change?: (completion: Completion) => Completion;
  /** Changes the text of a JSON answer; `cut` drops the connection behind it. */
  body?: (text: string) => { text: string; cut?: boolean };
  /** The events of a stream; `after` is how many content events come first. */
  frames?: (parts: StreamParts, after: number) => Frame[];
  /** Nothing is charged: failed, or no completion tokens and no finish reason. */
  isFree?: boolean;
  /** The answer is right, but comes late: before its head, or in the middle of its body. */
  slow?: 'headers' | 'body';
  /** Pictures are begun and not finished; in a stream its status is 200. */
  breaksPictures?: boolean;
  /** How a job ends that makes a film. */
  job?: JobEnd;
  /** `GET /generation` never finds it. */
  isLost?: boolean;
}
