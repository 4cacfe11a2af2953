import { safeParse } from '#kit/index.ts';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { ChatCall } from '../chat-completions/chat.ts';
import { quoteUpstream } from '../chat-completions/quote-upstream.ts';
import type { Watch } from '../chat-completions/watch-attempt.ts';
import { openFile } from '../outbound/open-file.ts';
import { discard } from '../read-body.ts';
import { askMedia, header, type MediaHttp, type Read } from './ask-media.ts';
import type { MediaResult, VideoJob, VideoRequest } from './media.ts';
import { toEcho, toImagePart } from './picture-part.ts';
import { readMediaJson } from './read-media-json.ts';

const MAX_BYTES = 1_000_000;
/** It becomes part of a path. */
const JOB_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,199}$/;

const statuses = ['pending', 'in_progress', 'completed', 'failed', 'cancelled', 'expired'] as const;
const form = z.object({
  id: z.string().regex(JOB_ID),
  status: z.enum(statuses).catch('in_progress'),
  error: z.unknown().optional(),
  generation_id: z.string().nullish().catch(null),
});

/** `POST /videos`: orders a film and answers at once with the job that makes it. */
export function beginVideo(http: MediaHttp, request: VideoRequest, call: ChatCall): Promise<MediaResult<VideoJob>> {
  const body = {
    model: request.model,
    prompt: request.prompt,
    duration: request.durationSeconds,
    resolution: request.resolution,
    aspect_ratio: request.aspectRatio,
    size: request.size,
    seed: request.seed,
    generate_audio: request.generateAudio,
    frame_images: request.frames?.map((frame) => ({ ...toImagePart(frame), frame_type: frame.type })),
    input_references: request.references?.map(toImagePart),
  };
  const secrets = [request.prompt, ...[...(request.frames ?? []), ...(request.references ?? [])].map(toEcho)];
  return askJob(http, { method: 'POST', path: '/videos', body, secrets }, call);
}

/** `GET /videos/{id}`. The address that the job names for this is not used: it is the upstream's choice, the path is ours. */
export function findVideo(http: MediaHttp, jobId: string, call: ChatCall): Promise<MediaResult<VideoJob>> {
  return askJob(http, { method: 'GET', path: `/videos/${toPathPart(jobId)}`, secrets: [] }, call);
}

interface JobAsk {
  method: 'GET' | 'POST';
  path: string;
  body?: unknown;
  secrets: readonly string[];
}

function askJob(http: MediaHttp, ask: JobAsk, call: ChatCall): Promise<MediaResult<VideoJob>> {
  const secrets = [call.apiKey, ...ask.secrets];
  const pick = (body: unknown): VideoJob | null => {
    const job = safeParse(form, body).data;
    return job ? { id: job.id, status: job.status, error: quoteError(job.error, secrets) } : null;
  };
  // The error of a job that failed stands in an answer that is none.
  const read = async (response: Dispatcher.ResponseData): Promise<Read<VideoJob> | null> =>
    readMediaJson(response, { maxBytes: MAX_BYTES, secrets, pick, isJob: true });
  return askMedia(http, { ...ask, read }, call);
}

function quoteError(error: unknown, secrets: readonly string[]): string | null {
  const message = typeof error === 'string' ? error : safeParse(z.object({ message: z.string() }), error).data?.message;
  return quoteUpstream(message, secrets) || null;
}

/** `GET /videos/{id}/content`. A redirect is followed to a public address only, without the key. */
export function openVideo(
  http: MediaHttp,
  jobId: string,
  call: ChatCall,
): Promise<MediaResult<AsyncIterable<Uint8Array>>> {
  return askMedia(
    http,
    {
      method: 'GET',
      path: `/videos/${toPathPart(jobId)}/content?index=0`,
      secrets: [],
      isStreamed: true,
      read: async (response, watch) => {
        const body = await findBody(http, response, watch);
        return body === null ? null : { output: readOn(body, watch) };
      },
    },
    call,
  );
}

async function findBody(
  { outbound }: MediaHttp,
  response: Dispatcher.ResponseData,
  { signal }: Watch,
): Promise<Readable | null> {
  const location = header(response, 'location');
  const isFile = response.statusCode === 200 && !/html|json|text/.test(header(response, 'content-type') ?? '');
  if (isFile) {
    return response.body;
  }
  discard(response.body);
  if (response.statusCode < 300 || location === null || outbound === null) {
    return null;
  }
  const opened = await openFile(outbound, { url: location, signal });
  return opened.ok ? opened.body : null;
}

async function* readOn(body: Readable, watch: Watch): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      yield chunk;
    }
  } finally {
    watch.stop();
    discard(body);
  }
}

function toPathPart(jobId: string): string {
  if (!JOB_ID.test(jobId)) {
    throw new RangeError('This is no id of a job.');
  }
  return jobId;
}
