import type { Dispatcher } from 'undici';
import type { ChatCall } from '../chat-completions/chat.ts';
import { askMedia, header, type MediaHttp, type Read } from './ask-media.ts';
import type { MediaResult, SpeechFile, SpeechRequest } from './media.ts';
import { discard, readBytes } from '../read-body.ts';

const MAX_BYTES = 25_000_000;
const SAMPLE_RATE = 24_000;

/** `POST /audio/speech`: the bytes are the answer; what it did cost stands nowhere in it. */
export function createSpeech(
  http: MediaHttp,
  request: SpeechRequest,
  call: ChatCall,
): Promise<MediaResult<SpeechFile>> {
  const { model, input, voice, speed, format } = request;
  const ask = {
    method: 'POST',
    path: '/audio/speech',
    body: { model, input, voice, speed, response_format: format },
    secrets: [input],
    read: readSpeech,
  } as const;
  return askMedia(http, ask, call);
}

async function readSpeech(response: Dispatcher.ResponseData): Promise<Read<SpeechFile> | null> {
  const type = header(response, 'content-type') ?? '';
  if (/html|json|text/.test(type)) {
    discard(response.body);
    return null;
  }
  const bytes = await readBytes(response.body, MAX_BYTES);
  const told = Number(/rate=(\d{4,6})/.exec(type)?.[1] ?? SAMPLE_RATE);
  return bytes.length === 0
    ? null
    : { output: { bytes, sampleRate: told >= 8_000 && told <= 96_000 ? told : SAMPLE_RATE } };
}
