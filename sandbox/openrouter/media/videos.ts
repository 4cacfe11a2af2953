import { Big } from 'big.js';
import { z } from 'zod';
import { authenticate } from '../accounts.ts';
import type { Exchange } from '../exchange.ts';
import type { CatalogueModel } from '../catalogue.ts';
import { isRefusal, refuse } from '../refusal.ts';
import type { Refusal } from '../refusal.ts';
import { replyBytes, replyJson, replyRefusal, replyText } from '../reply.ts';
import type { Reply } from '../reply.ts';
import { openRandom } from '../seeded-random.ts';
import type { State } from '../state.ts';
import { toUsd } from '../cost.ts';
import { doWork, refuseInput, settleWork } from './do-work.ts';
import { callBack } from './call-back.ts';
import { drawFilm } from './film.ts';
import { filmTraits } from './media-models.ts';
import { imagePart, measurePictures } from './sent-pictures.ts';
import type { VideoJob } from './work.ts';

const requestSchema = z.looseObject({
  model: z.string().min(1),
  prompt: z.string().min(1),
  duration: z.int().min(1).max(60).nullish(),
  resolution: z.string().nullish(),
  seed: z.int().nullish(),
  frame_images: z.array(imagePart.extend({ frame_type: z.enum(['first_frame', 'last_frame']) })).nullish(),
  input_references: z.array(imagePart).nullish(),
  callback_url: z.url({ protocol: /^https?$/ }).nullish(),
});

const DEFAULT_SECONDS = 5;
/** Of the wait until a first token: how often as long a film waits, and is made. */
const WAITING = 2;
const MAKING = 12;

/** `POST /videos`: 202 and a job, whose state follows the clock. */
export function answerBeginVideo(state: State, exchange: Exchange): Reply {
  const parsed = requestSchema.safeParse(exchange.body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuseInput(issue?.path.join('.') ?? 'body', issue?.message ?? 'not valid');
  }
  const { model: modelId, duration, resolution, callback_url: callbackUrl } = parsed.data;
  const seconds = duration ?? DEFAULT_SECONDS;
  const frames = parsed.data.frame_images ?? [];
  // With frames the references are not looked at.
  const pictures = frames.length > 0 ? frames : (parsed.data.input_references ?? []);
  const sizes = measurePictures(pictures);
  if (isRefusal(sizes)) {
    return replyRefusal(sizes);
  }
  return doWork(state, exchange, {
    modelId,
    output: 'video',
    apiType: 'video',
    request: { ...parsed.data, model: undefined, callback_url: undefined },
    check: (model) => checkPictures(model, { frames, count: pictures.length }),
    price: () => priceFilm(modelId, { resolution: resolution ?? '720p', seconds, pictures: pictures.length }),
    make: (work, cost) => {
      const id = `job-${openRandom(work.id, 'job').base62(20)}`;
      const job: VideoJob = {
        id,
        work,
        seconds,
        cost,
        end: work.chosen?.fault.job ?? 'completed',
        callbackUrl: callbackUrl ?? null,
        headers: exchange.headers,
        isSettled: false,
      };
      state.videos.set(id, job);
      const reply = { id, polling_url: `/api/v1/videos/${id}`, status: 'pending', generation_id: work.id };
      return replyText(JSON.stringify(reply), { status: 202, headers: { 'x-generation-id': work.id } });
    },
  });
}

interface Asked {
  frames: readonly { frame_type: 'first_frame' | 'last_frame' }[];
  count: number;
}

function checkPictures(model: CatalogueModel, { frames, count }: Asked): Refusal | null {
  const known = filmTraits[model.id]?.frames ?? [];
  const strange = frames.find(({ frame_type: type }) => !known.includes(type));
  if (strange) {
    const message = `Invalid input: frame_images: ${model.id} does not support ${strange.frame_type}`;
    return refuse(400, message, { error_type: 'invalid_request' });
  }
  return count > 0 && !model.architecture.input_modalities.includes('image')
    ? refuse(404, 'No endpoints found that support image input', { error_type: 'not_found' })
    : null;
}

interface Film {
  resolution: string;
  seconds: number;
  /** That are sent along. */
  pictures: number;
}

function priceFilm(modelId: string, { resolution, seconds, pictures }: Film): Big {
  const skus = Object.entries(filmTraits[modelId]?.skus ?? {}).map(([name, usd]) => ({
    name,
    usd: new Big(usd).times(name.includes('cents') ? '0.01' : 1),
  }));
  const ofPictures = skus.find(({ name }) => name.includes('image_input'))?.usd ?? new Big(0);
  const ofFilm = skus.filter(({ name }) => !name.includes('image_input'));
  const { name, usd } = ofFilm.find((sku) => sku.name.includes(resolution)) ??
    ofFilm[0] ?? { name: '', usd: new Big(0) };
  return usd.times(name.includes('second') ? seconds : 1).plus(ofPictures.times(pictures));
}

/** `GET /videos/{jobId}` */
export function answerVideo(state: State, exchange: Exchange): Reply {
  const job = findJob(state, exchange);
  return isRefusal(job) ? replyRefusal(job) : replyJson(toJson(state, job));
}

/** `GET /videos/{jobId}/content` */
export function answerVideoContent(state: State, exchange: Exchange): Reply {
  const job = findJob(state, exchange);
  if (isRefusal(job)) {
    return replyRefusal(job);
  }
  if (toJson(state, job)['status'] !== 'completed') {
    return replyRefusal(refuse(400, 'The video is not completed', { error_type: 'invalid_request' }));
  }
  return replyBytes(drawFilm(job.work.seed, job.seconds), { contentType: 'video/mp4' });
}

function findJob(state: State, { headers, path }: Exchange) {
  const key = authenticate(state.keys, headers['authorization'], state.clock.now());
  if (isRefusal(key)) {
    return key;
  }
  const id = /\/videos\/([^/]+)/.exec(path)?.[1] ?? '';
  const job = state.videos.get(id);
  return job === undefined || job.work.key.account !== key.account
    ? refuse(404, 'Video job not found', { error_type: 'not_found' })
    : job;
}

/** Where a job stands now; the first to see it completed has it billed, and told to whoever asked to be told. */
function toJson(state: State, job: VideoJob): Record<string, unknown> {
  const status = toStatus(state, job);
  const base = { id: job.id, polling_url: `/api/v1/videos/${job.id}`, status, generation_id: job.work.id };
  if (status !== 'completed') {
    return ['failed', 'cancelled', 'expired'].includes(status) ? { ...base, error: `The job is ${status}` } : base;
  }
  const urls = [`/api/v1/videos/${job.id}/content?index=0`];
  const done = { ...base, unsigned_urls: urls, usage: { cost: toUsd(job.cost), is_byok: false } };
  if (!job.isSettled) {
    job.isSettled = true;
    const { work, cost, headers } = job;
    settleWork(state, work, { cost, apiType: 'video', promptTokens: 0, headers });
    callBack(state, job, done);
  }
  return done;
}

function toStatus({ clock, latency }: State, job: VideoJob): string {
  const passedMs = clock.now() - job.work.now;
  if (passedMs < latency.firstTokenMs * WAITING) {
    return 'pending';
  }
  return passedMs < latency.firstTokenMs * MAKING || job.end === 'stuck' ? 'in_progress' : job.end;
}
