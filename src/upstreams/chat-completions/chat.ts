/** A piece of a message. An upstream is never sent an address of a file, only its bytes. */
export type ContentPart =
  | { type: 'text'; text: string }
  | {
      type: 'media';
      kind: 'image' | 'audio' | 'video' | 'file';
      contentType: string;
      bytes: Uint8Array;
      filename: string;
    };

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string | readonly ContentPart[];
}

/** What an answer is asked for, in our words; each client translates it to its wire form. */
export interface ChatRequest {
  model: string;
  messages: readonly ChatMessage[];
  maxTokens: number;
  temperature?: number | undefined;
  topP?: number | undefined;
  frequencyPenalty?: number | undefined;
  presencePenalty?: number | undefined;
  fallbackModels?: readonly string[] | undefined;
  modalities?: readonly ('text' | 'image' | 'audio')[] | undefined;
  /** Of models that speak, as the provider names them. */
  audio?: { voice: string; format: string } | undefined;
  /** What reads the PDFs among the messages; the upstream chooses unless told. */
  pdfEngine?: 'native' | 'mistral-ocr' | 'cloudflare-ai' | undefined;
  provider?: ProviderChoice | undefined;
  imageConfig?: { aspectRatio?: string | undefined; imageSize?: string | undefined } | undefined;
  reasoning?:
    | { effort?: string | undefined; maxTokens?: number | undefined; exclude?: boolean | undefined }
    | undefined;
  responseFormat?: ResponseFormat | undefined;
  /** OpenRouter searches by itself where the model asks for it. */
  webSearch?: WebSearch | undefined;
}

/** How far the upstream is asked to hold the model to JSON; that it does is not relied on. */
export type ResponseFormat =
  | { type: 'json_object' }
  | { type: 'json_schema'; name: string; isStrict: boolean; schema: Record<string, unknown> };

interface WebSearch {
  engine: string;
  maxUses: number;
  maxResults: number;
  allowedDomains?: readonly string[] | undefined;
  excludedDomains?: readonly string[] | undefined;
}

/** A page that an answer names as its source: an https URL, and its title on one line. */
export interface Citation {
  url: string;
  title: string | null;
}

/** Who may answer, of the providers of a model. Prices are USD: per million tokens, and per request. */
export interface ProviderChoice {
  order?: readonly string[] | undefined;
  only?: readonly string[] | undefined;
  ignore?: readonly string[] | undefined;
  allowFallbacks?: boolean | undefined;
  zdr?: boolean | undefined;
  dataCollection?: 'allow' | 'deny' | undefined;
  quantizations?: readonly string[] | undefined;
  sort?: string | undefined;
  requireParameters?: boolean | undefined;
  maxPrice?: { prompt?: string | undefined; completion?: string | undefined; request?: string | undefined } | undefined;
}

export interface ChatCall {
  /** Empty where the upstream takes none. */
  apiKey: string;
  signal: AbortSignal;
  /** Epoch milliseconds; attempts, waits and reading all end before it. */
  deadlineMs: number;
  /**
   * Takes the text of the answer while it comes, without what the model thought; all pieces together are the text of the
   * result. Nothing more is read from the upstream until what this returns has resolved.
   */
  onText?(text: string, told: { isSimulated: boolean }): Promise<void> | null;
}

export interface ChatUsage {
  inputTokens: number | null;
  outputTokens: number | null;
  reasoningTokens: number | null;
  /** The decimal text exactly as it stood on the wire; never a float. */
  costUsd: string | null;
}

/** How an attempt failed; what it means for buyer and creator is decided by execution/classify-failure. */
export type FailureKind =
  | 'http_error' // an HTTP status other than 2xx
  | 'error_event' // an error inside a 200
  | 'malformed' // not the JSON or event stream that was asked for
  | 'truncated' // ended without a finish reason or end mark
  | 'idle' // no data for too long
  | 'deadline' // out of time
  | 'aborted' // the caller went away
  | 'connection' // no connection, or it broke
  | 'too_large' // over a size cap
  | 'empty' // finished with nothing usable
  | 'filtered' // a content filter or a refusal left nothing
  | 'cut_short' // whole for the upstream, ended by the token limit, and not to be sold so
  | 'job_failed' // a job that was ordered ended without what it was to make
  | 'starved'; // only reasoned: the answer never began

export interface ChatFailure {
  kind: FailureKind;
  /** HTTP status, or the code of an error inside a 200. */
  status: number | null;
  /** For the creator: a quote of the upstream's message, empty when it repeats the prompt, the input or the key. */
  message: string;
  /** `metadata.error_type` and its like: the upstream's machine-readable name of the error. */
  errorType: string | null;
  /** Which budget or pool ran out (`openrouter_credits`, …). */
  limitSource: string | null;
  retryAfterSeconds: number | null;
}

/** Why an answer ended; `unknown` for words of an upstream that no other one uses. */
export type FinishReason = 'stop' | 'length' | 'content_filter' | 'tool_calls' | 'error' | 'unknown';

export interface ChatFacts {
  model: string | null;
  provider: string | null;
  generationId: string | null;
  usage: ChatUsage | null;
  finishReason: FinishReason | null;
  /** How the request was changed because the upstream does not take it as it was; empty where it was not. */
  adjustments: readonly string[];
  /** From the start of the call to the first piece of the answer. */
  firstTokenMs: number | null;
  latencyMs: number;
  attempts: number;
  isSimulated: boolean;
}

/** What a model said. `pcm16` is 24,000 samples a second of 16 bit, little endian, one channel. */
export interface ChatAudio {
  base64: string;
  format: string;
  transcript: string;
}

export type ChatResult =
  | (ChatFacts & {
      ok: true;
      text: string;
      images: { dataUrl: string }[];
      audio: ChatAudio | null;
      citations: Citation[];
    })
  | (ChatFacts & { ok: false; failure: ChatFailure });

/** Whatever answers chat requests. Never throws for what the upstream does: that is a `ChatFailure`. */
export interface Upstream {
  chat(request: ChatRequest, call: ChatCall): Promise<ChatResult>;
}
