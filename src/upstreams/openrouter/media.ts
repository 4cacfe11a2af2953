import type { ChatCall, ChatFailure } from '../chat-completions/chat.ts';

/** What is known of one call of a route that is no chat; the cost is the decimal text of the wire. */
export interface MediaFacts {
  model: string | null;
  provider: string | null;
  generationId: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
  costUsd: string | null;
  attempts: number;
  isSimulated: boolean;
}

export const noFacts: MediaFacts = {
  model: null,
  provider: null,
  generationId: null,
  inputTokens: null,
  outputTokens: null,
  costUsd: null,
  attempts: 1,
  isSimulated: false,
};

/** Like the chat client's: every way to fail is a value. */
export type MediaResult<T> =
  | (MediaFacts & { ok: true; output: T })
  | (MediaFacts & { ok: false; failure: ChatFailure });

/** A picture that is sent along; its bytes go, never an address. */
export interface SentPicture {
  bytes: Uint8Array;
  contentType: string;
}

export interface ImagesRequest {
  model: string;
  prompt: string;
  n?: number | undefined;
  aspectRatio?: string | undefined;
  resolution?: string | undefined;
  size?: string | undefined;
  quality?: string | undefined;
  outputFormat?: string | undefined;
  /** Of JPEG and WebP, 0 to 100. */
  outputCompression?: number | undefined;
  background?: string | undefined;
  seed?: number | undefined;
  references?: readonly SentPicture[] | undefined;
  /** Absent: any may answer. */
  provider?: ImageProviders | undefined;
}

/** Providers by their tags. */
export interface ImageProviders {
  order?: readonly string[] | undefined;
  only?: readonly string[] | undefined;
  ignore?: readonly string[] | undefined;
  allowFallbacks?: boolean | undefined;
  sort?: string | undefined;
}

export interface ImageFile {
  bytes: Buffer;
}

export interface SpeechRequest {
  model: string;
  input: string;
  voice?: string | undefined;
  speed?: number | undefined;
  /** `pcm` is signed 16 bit, little endian, one channel. */
  format: 'mp3' | 'pcm';
}

export interface SpeechFile {
  bytes: Buffer;
  /** Of `pcm`, which does not tell it: 24,000 unless the answer says otherwise. */
  sampleRate: number;
}

export interface TranscriptionRequest {
  model: string;
  audio: { bytes: Uint8Array; contentType: string };
  language?: string | undefined;
  temperature?: number | undefined;
  timestamps?: readonly ('word' | 'segment')[] | undefined;
}

export interface Transcription {
  text: string;
  language: string | null;
  durationSeconds: number | null;
  segments: { start: number; end: number; text: string }[];
  words: { start: number; end: number; word: string }[];
}

export interface EmbeddingRequest {
  model: string;
  input: string;
  dimensions?: number | undefined;
  inputType?: string | undefined;
}

export interface RerankRequest {
  model: string;
  query: string;
  documents: readonly string[];
  topN?: number | undefined;
}

export interface RankedDocument {
  /** Place among the documents that were sent. */
  index: number;
  relevanceScore: number;
}

export interface VideoRequest {
  model: string;
  prompt: string;
  durationSeconds?: number | undefined;
  resolution?: string | undefined;
  aspectRatio?: string | undefined;
  size?: string | undefined;
  seed?: number | undefined;
  generateAudio?: boolean | undefined;
  frames?: readonly (SentPicture & { type: FrameType })[] | undefined;
  references?: readonly SentPicture[] | undefined;
}

export type FrameType = 'first_frame' | 'last_frame';

export interface VideoJob {
  id: string;
  /** `cancelled` and `expired` are failures too; words that are not known count as still under way. */
  status: 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled' | 'expired';
  /** In the upstream's words, where it failed; null where they repeat the request. */
  error: string | null;
}

export interface VideoCall extends ChatCall {
  onProgress?(job: VideoJob): void;
}

/** One line of a price list of pictures. USD. */
export interface ImagePrice {
  billable: string;
  unit: string;
  usd: string;
  /** Such as a size or a quality; null: of all. */
  variant: string | null;
}

/** What a provider says that a setting may be; `any`: it is taken, and nothing more is told. */
export type Capability =
  | { type: 'enum'; values: readonly string[] }
  | { type: 'range'; min: number; max: number }
  | { type: 'any' };

/** One provider of a model on `/images`. */
export interface ImageEndpoint {
  /** By which it can be chosen; null where it cannot. */
  tag: string | null;
  prices: readonly ImagePrice[];
  /** By names of the wire: what is not listed it does not take. Null where it does not tell. */
  capabilities: Readonly<Record<string, Capability>> | null;
}

export interface VideoModel {
  id: string;
  /** Price by the name that the provider gives it, USD; what is counted stands in the name alone. */
  skus: Readonly<Record<string, string>>;
  durationsSeconds: readonly number[];
  resolutions: readonly string[];
  aspectRatios: readonly string[];
  sizes: readonly string[];
  /** Which of its pictures can be given; none where it does not tell. */
  frameTypes: readonly string[];
  /** Null where it does not tell. */
  takesSeed: boolean | null;
  makesSound: boolean | null;
}

/** The routes of OpenRouter for what is no chat. None of them throws for what the upstream does. */
export interface MediaUpstream {
  createImages(request: ImagesRequest, call: ChatCall): Promise<MediaResult<ImageFile[]>>;
  createSpeech(request: SpeechRequest, call: ChatCall): Promise<MediaResult<SpeechFile>>;
  createTranscription(request: TranscriptionRequest, call: ChatCall): Promise<MediaResult<Transcription>>;
  createEmbedding(request: EmbeddingRequest, call: ChatCall): Promise<MediaResult<number[]>>;
  rerankDocuments(request: RerankRequest, call: ChatCall): Promise<MediaResult<RankedDocument[]>>;
  beginVideo(request: VideoRequest, call: ChatCall): Promise<MediaResult<VideoJob>>;
  /** Resolves when the job has ended, or the time has. */
  awaitVideo(jobId: string, call: VideoCall): Promise<MediaResult<VideoJob>>;
  /** The bytes as they come: whoever reads them ends before the deadline. Breaking off throws. */
  openVideo(jobId: string, call: ChatCall): Promise<MediaResult<AsyncIterable<Uint8Array>>>;
  /** What a generation did cost, which is stored a moment after its answer; null where it is not told in a few seconds. */
  findCost(generationId: string, call: ChatCall): Promise<string | null>;
  /** Every provider of a model on `/images`; null where a price of one of them is not told. */
  listImageEndpoints(modelId: string): Promise<ImageEndpoint[] | null>;
  /** Null where the list cannot be read. */
  listVideoModels(): Promise<VideoModel[] | null>;
}
