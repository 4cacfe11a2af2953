import type { Fault } from './fault.ts';
import { toFrames } from './wire.ts';
import type { Frame, StreamParts } from './wire.ts';

type Frames = (parts: StreamParts, after: number) => Frame[];

const text = (content: string): Frame => ({ text: content, tokens: 0 });
const end = (how: 'cut' | 'hang'): Frame => ({ text: '', tokens: 0, end: how });

/** The opening, `after` content events, then what goes wrong. */
const then =
  (ending: (parts: StreamParts) => Frame[]): Frames =>
  (parts, after) => [parts.opening, ...parts.content.slice(0, after), ...ending(parts)];

const mapText =
  (change: (content: string, at: number) => string): Frames =>
  (parts) =>
    toFrames(parts).map((frame, at) => ({ ...frame, text: change(frame.text, at) }));

const stop = (parts: StreamParts): Record<string, unknown> => parts.choice({}, 'error');

/** Failures inside a stream whose status was 200. On a request without `stream` they answer 502. */
export const streamFaults: Readonly<Record<string, Fault>> = {
  stream_error_typed: {
    isFree: true,
    frames: then((parts) => [
      parts.event({
        error: {
          code: 502,
          message: 'Provider disconnected unexpectedly',
          metadata: { error_type: 'provider_unavailable', provider_code: 'upstream_reset' },
        },
        choices: [stop(parts)],
      }),
    ]),
  },
  stream_error_plain: {
    isFree: true,
    frames: then((parts) => [
      parts.event({
        error: { code: 400, message: 'Token limit reached' },
        choices: [parts.choice({}, null)],
        ...parts.usageFields,
      }),
      parts.done,
    ]),
  },
  stream_error_bare: {
    isFree: true,
    frames: then(() => [text('data: {"error":{"message":"Provider returned error"}}\n\n')]),
  },
  stream_string_code: {
    isFree: true,
    frames: then((parts) => [
      parts.event({ error: { code: 'server_error', message: 'Provider disconnected' }, choices: [stop(parts)] }),
    ]),
  },
  stream_empty_choices_error: {
    isFree: true,
    frames: then((parts) => [parts.event({ error: { code: 502, message: 'Provider returned error' }, choices: [] })]),
  },
  stream_no_done: { frames: (parts) => toFrames(parts).filter((frame) => frame !== parts.done) },
  stream_cut: { frames: then(() => [end('cut')]) },
  stream_comments_only: { isFree: true, frames: (parts) => [parts.opening, parts.opening, parts.opening, end('hang')] },
  stream_malformed_event: { frames: then((parts) => [text('data: {"id":"gen-broken","choices":[{\n\n'), parts.done]) },
  stream_bom_crlf: {
    frames: mapText((content, at) => `${at === 0 ? '\uFEFF' : ''}${content.replaceAll('\n', '\r\n')}`),
  },
};
