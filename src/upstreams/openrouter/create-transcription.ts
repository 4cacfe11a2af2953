import { z } from 'zod';
import { safeParse, toBase64 } from '#kit/index.ts';
import type { ChatCall } from '../chat-completions/chat.ts';
import { toAudioFormat } from '../chat-completions/message-parts.ts';
import { askMedia, type MediaHttp } from './ask-media.ts';
import type { MediaResult, Transcription, TranscriptionRequest } from './media.ts';
import { readMediaJson } from './read-media-json.ts';

const MAX_BYTES = 8_000_000;
const MAX_MARKS = 50_000;

const seconds = z.number().min(0);
const marks = <T extends z.ZodType>(mark: T) => z.array(mark).max(MAX_MARKS).nullish().catch(null);
const form = z.object({
  text: z.string(),
  language: z.string().max(100).nullish().catch(null),
  duration: seconds.nullish().catch(null),
  usage: z
    .object({ seconds: seconds.nullish().catch(null) })
    .nullish()
    .catch(null),
  segments: marks(z.object({ start: seconds, end: seconds, text: z.string() })),
  words: marks(z.object({ start: seconds, end: seconds, word: z.string() })),
});

/** `POST /audio/transcriptions`, in JSON. */
export function createTranscription(
  http: MediaHttp,
  request: TranscriptionRequest,
  call: ChatCall,
): Promise<MediaResult<Transcription>> {
  const { model, audio, language, temperature, timestamps } = request;
  const data = toBase64(audio.bytes);
  // A stretch of the sound is enough to tell a repetition of it.
  const secrets = [data.slice(0, 4_000)];
  return askMedia(
    http,
    {
      method: 'POST',
      path: '/audio/transcriptions',
      body: {
        model,
        input_audio: { data, format: toAudioFormat(audio.contentType) },
        language,
        temperature,
        ...(timestamps ? { response_format: 'verbose_json', timestamp_granularities: timestamps } : {}),
      },
      secrets,
      read: (response) =>
        readMediaJson(response, { maxBytes: MAX_BYTES, secrets: [call.apiKey, ...secrets], pick: pickText }),
    },
    call,
  );
}

function pickText(body: unknown): Transcription | null {
  const said = safeParse(form, body).data;
  return said
    ? {
        text: said.text,
        language: said.language ?? null,
        durationSeconds: said.duration ?? said.usage?.seconds ?? null,
        segments: said.segments ?? [],
        words: said.words ?? [],
      }
    : null;
}
