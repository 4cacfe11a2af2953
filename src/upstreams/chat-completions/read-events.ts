import { createParser } from 'eventsource-parser';
import type { AnswerBody } from '../open-answer.ts';
import { TooLargeError } from '../read-body.ts';

const MAX_BODY_BYTES = 128_000_000;
const MAX_EVENT_CHARACTERS = 32_000_000;
const MAX_AFTER_END_BYTES = 64_000;

interface Readers {
  /** Each `data:` of an event stream, until this says 'stop'. */
  onData(data: string, isTail: boolean): 'more' | 'stop';
  /** The whole body where it is JSON instead of a stream. */
  onJson(text: string): void;
  /** What nothing more is read before; null: nothing. */
  untilTaken(): Promise<void> | null;
}

/**
 * Reads an answer as what its first character shows it to be, because upstreams label both forms wrongly: JSON where a
 * stream was asked for, and streams as any type of content.
 * Rejects when the connection breaks (`TooLargeError` when a cap is passed).
 * After 'stop' the little that follows is read away, so that the connection can be used again.
 */
export function readEvents(body: AnswerBody, readers: Readers): Promise<void> {
  return new Promise((resolve, reject) => {
    const decoder = new TextDecoder();
    let bytes = 0;
    let isStopped = false;
    let isTail = false;
    let isBroken = false;
    /** The pieces of a body of JSON; null for a stream, undefined while neither has begun. */
    let json: string[] | null | undefined;
    const parser = createParser({
      maxBufferSize: MAX_EVENT_CHARACTERS,
      onEvent: ({ data }) => {
        if (!isStopped && readers.onData(data, isTail) === 'stop') {
          isStopped = true;
          bytes = 0;
          resolve();
        }
      },
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') {
          fail(new TooLargeError('An event of the upstream is too large.'));
        }
      },
    });
    function fail(error: Error): void {
      isBroken = true;
      reject(error);
      body.discard();
    }
    function take(text: string): void {
      if (json === undefined && text.trim() !== '') {
        json = /^\s*[[{]/.test(text) ? [] : null;
      }
      if (json) {
        json.push(text);
      } else {
        parser.feed(text);
      }
    }
    function onData(chunk: Buffer): void {
      bytes += chunk.length;
      const most = json ? MAX_EVENT_CHARACTERS : MAX_BODY_BYTES;
      if (!isBroken && bytes > (isStopped ? MAX_AFTER_END_BYTES : most)) {
        fail(new TooLargeError('The answer of the upstream is too large.'));
      } else if (!isStopped && !isBroken) {
        take(decoder.decode(chunk, { stream: true }));
        const taken = isStopped ? null : readers.untilTaken();
        if (taken) {
          body.pause();
          void taken.then(() => body.resume());
        }
      }
    }
    function onEnd(): void {
      // Some upstreams leave out the blank line after their last event.
      isTail = true;
      take(`${decoder.decode()}\n\n`);
      if (json) {
        readers.onJson(json.join(''));
      }
      resolve();
    }
    body.read({ onData, onEnd, onError: reject });
  });
}
