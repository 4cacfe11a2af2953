import { findSource } from './check-media.ts';
import { toUsage } from './media-answer.ts';
import { noFacts, toCall, type RunRoute } from './media-run.ts';

/** By the subtype of a data URL, the name that the upstream knows. */
const formats: Readonly<Record<string, string>> = {
  wav: 'wav',
  'x-wav': 'wav',
  wave: 'wav',
  mpeg: 'mp3',
  mp3: 'mp3',
  ogg: 'ogg',
  flac: 'flac',
  'x-flac': 'flac',
  aac: 'aac',
  mp4: 'm4a',
  m4a: 'm4a',
  'x-m4a': 'm4a',
  webm: 'webm',
};

const DATA_URL = /^data:audio\/([a-z0-9-]{1,20})(?:;[a-z0-9=._-]{1,40}){0,3};base64,/i;

/** The sound is in the input; a prompt is not sent. */
export const runTranscription: RunRoute = async (deps, run) => {
  const audio = readSound(run.input[findSource(run.route, run) ?? '']);
  if (audio === null) {
    const cause = 'unreadable_sound: What the buyer sent is no sound in a data URL (data:audio/wav;base64,…).';
    return { facts: noFacts, refused: { problem: 'unprocessable', cause } };
  }
  const { language, temperature, timestamps } = run.settings.transcription ?? {};
  const request = { model: run.request.model, audio, language, temperature, timestamps };
  const result = await deps.openRouterMedia.createTranscription(request, toCall(run));
  if (!result.ok) {
    return { facts: result, failure: result.failure };
  }
  const { text, language: heard, durationSeconds, segments, words } = result.output;
  if (text.trim() === '') {
    const cause = 'empty_answer: The model heard nothing that could be written down.';
    return { facts: result, refused: { problem: 'upstream_failed', cause } };
  }
  const json = {
    response: text,
    language: heard,
    durationSeconds,
    ...(segments.length > 0 ? { segments } : {}),
    ...(words.length > 0 ? { words } : {}),
    usage: toUsage(result),
  };
  return { facts: result, json, media: [] };
};

function readSound(value: unknown): { base64: string; format: string } | null {
  const prefix = typeof value === 'string' ? DATA_URL.exec(value.slice(0, 200)) : null;
  const format = formats[prefix?.[1]?.toLowerCase() ?? ''];
  const base64 = typeof value === 'string' && prefix ? value.slice(prefix[0].length) : '';
  return format !== undefined && /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? { base64, format } : null;
}
