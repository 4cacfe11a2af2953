import { findSource } from './check-media.ts';
import { toUsage } from './media-answer.ts';
import { notAsked, toCall, type RunRoute } from './media-run.ts';

/** A prompt is not sent. */
export const runTranscription: RunRoute = async (deps, run) => {
  const audio = run.files.get(findSource(run.route, run) ?? '');
  if (audio?.type !== 'media') {
    const cause = 'unreadable_sound: The buyer sent no sound.';
    return { facts: notAsked, refused: { problem: 'unprocessable', cause } };
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
