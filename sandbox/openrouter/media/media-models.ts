/** The date of the snapshot that these stand beside. */
const CREATED = 1_794_268_800;

interface MediaModel {
  id: string;
  name: string;
  inputs: string[];
  output: string;
  pricing: Record<string, string>;
  contextLength?: number;
  voices?: string[];
}

/**
 * Models of the outputs that the snapshot has none of. Their prices are ours, near to what such models cost; none of them
 * decides over money outside of the simulator.
 */
const models: readonly MediaModel[] = [
  {
    id: 'openai/tts-1',
    name: 'OpenAI: TTS 1',
    inputs: ['text'],
    output: 'speech',
    pricing: { prompt: '0.000015', completion: '0' },
    voices: ['alloy', 'echo', 'fable', 'onyx', 'nova', 'shimmer'],
  },
  {
    id: 'hexgrad/kokoro-82m',
    name: 'Hexgrad: Kokoro 82M',
    inputs: ['text'],
    output: 'speech',
    pricing: { prompt: '0.0000008', completion: '0' },
  },
  {
    id: 'openai/whisper-1',
    name: 'OpenAI: Whisper 1',
    inputs: ['audio'],
    output: 'transcription',
    pricing: { prompt: '0', completion: '0', audio: '0.00001' },
  },
  {
    id: 'google/veo-3.1',
    name: 'Google: Veo 3.1',
    inputs: ['text', 'image'],
    output: 'video',
    pricing: { prompt: '0', completion: '0' },
  },
  {
    id: 'bytedance/seedance-1-lite',
    name: 'ByteDance: Seedance 1 Lite',
    inputs: ['text'],
    output: 'video',
    pricing: { prompt: '0', completion: '0' },
  },
  {
    id: 'x-ai/grok-imagine-video',
    name: 'xAI: Grok Imagine Video',
    inputs: ['text', 'image'],
    output: 'video',
    pricing: { prompt: '0', completion: '0' },
  },
  {
    id: 'cohere/rerank-v3.5',
    name: 'Cohere: Rerank 3.5',
    inputs: ['text'],
    output: 'rerank',
    pricing: { prompt: '0', completion: '0', request: '0.002' },
    contextLength: 4_096,
  },
];

/** What the snapshot does not know of models that speak in a chat. */
const soundPrices: Readonly<Record<string, Record<string, string>>> = {
  'openai/gpt-audio': { audio: '0.00004', audio_output: '0.00008' },
  'openai/gpt-audio-mini': { audio: '0.00001', audio_output: '0.00002' },
};

/** The list with a few models of every output, and with prices for sound. Entries that are there already stay. */
export function withMediaModels(catalogue: readonly unknown[]): unknown[] {
  const known = new Set(catalogue.map((entry) => (entry as { id?: unknown }).id));
  const priced = catalogue.map((entry) => {
    const { id, pricing } = entry as { id: string; pricing: Record<string, unknown> };
    const more = soundPrices[id];
    return more ? { ...(entry as object), pricing: { ...more, ...pricing } } : entry;
  });
  return [...priced, ...models.filter(({ id }) => !known.has(id)).map(toEntry)];
}

function toEntry({ id, name, inputs, output, pricing, contextLength = 0, voices }: MediaModel) {
  const slug = `${id}-20261110`;
  return {
    id,
    canonical_slug: slug,
    hugging_face_id: null,
    name,
    created: CREATED,
    description: `Reads ${inputs.join(', ')}; makes ${output}.`,
    context_length: contextLength || null,
    architecture: {
      modality: `${inputs.join('+')}->${output}`,
      input_modalities: inputs,
      output_modalities: [output],
      tokenizer: 'Other',
      instruct_type: null,
    },
    pricing,
    top_provider: { context_length: contextLength || null, max_completion_tokens: null, is_moderated: false },
    per_request_limits: null,
    supported_parameters: [],
    default_parameters: {},
    supported_voices: voices ?? null,
    knowledge_cutoff: null,
    expiration_date: null,
    links: { details: `/api/v1/models/${slug}/endpoints` },
  };
}

/** Of a model that makes films, as `GET /videos/models` tells it. */
export interface FilmTraits {
  /** Prices by second, by film or by picture that is sent along: the name says which, and whether they are cents. */
  skus: Readonly<Record<string, string>>;
  frames: readonly ('first_frame' | 'last_frame')[] | null;
  seed: boolean | null;
  sound: boolean | null;
}

export const filmTraits: Readonly<Record<string, FilmTraits>> = {
  'google/veo-3.1': {
    skus: { duration_seconds_720p: '0.20', duration_seconds_1080p: '0.40' },
    frames: ['first_frame', 'last_frame'],
    seed: true,
    sound: true,
  },
  'bytedance/seedance-1-lite': { skus: { generate: '0.18' }, frames: null, seed: false, sound: false },
  'x-ai/grok-imagine-video': {
    skus: {
      cents_per_image_input: '0.2',
      cents_per_video_output_second_480p: '5',
      cents_per_video_output_second_720p: '7',
    },
    frames: ['first_frame'],
    seed: null,
    sound: null,
  },
};
