import type { SourceModel } from './catalogue-model.ts';

/** What the source packages do not say about modalities: they list only text and image input. First match wins. */
const families: [pattern: RegExp, input: string[], output?: string[]][] = [
  [/^openai\/gpt-audio/, ['text', 'audio'], ['text', 'audio']],
  [/^mistralai\/voxtral/, ['text', 'audio']],
  [/^qwen\/.*-omni/, ['text', 'image', 'audio', 'video']],
  [/^nvidia\/.*-omni/, ['text', 'image', 'audio', 'video']],
  [/^~?google\/gemini-(?!.*image|embedding)/, ['text', 'image', 'file', 'audio', 'video']],
  [/^~?anthropic\//, ['text', 'image', 'file']],
  [/^~?openai\/(gpt-4o|gpt-4\.1|gpt-5|gpt-6|o3|gpt-[a-z]+-latest)/, ['text', 'image', 'file']],
];

export function modalitiesOf(source: SourceModel): { input: string[]; output: string[] } {
  const output = source.output ?? ['text'];
  const family = output.includes('text') ? families.find(([pattern]) => pattern.test(source.id)) : undefined;
  if (family === undefined) {
    return { input: source.input, output };
  }
  const [, input, familyOutput] = family;
  const readsImages = source.input.includes('image');
  return {
    input: input.filter((modality) => modality === 'text' || modality === 'audio' || readsImages),
    output: familyOutput ?? output,
  };
}

/** USD per million output image tokens, where a price is known (@pydantic/genai-prices 0.1.8, MIT). */
export const imageOutputPerMillion: Record<string, number> = {
  'google/gemini-2.5-flash-image': 30,
  'google/gemini-3-pro-image': 120,
  'google/gemini-3-pro-image-preview': 120,
  'google/gemini-3.1-flash-image': 60,
  'google/gemini-3.1-flash-image-preview': 60,
  'google/gemini-3.1-flash-lite-image': 30,
};

/** Stands in where no source knows the price of an image; the models that carry it are listed in the snapshot. */
export const ASSUMED_IMAGE_OUTPUT_PER_MILLION = 30;

/** Facts set by us so that every case of the API has an example; listed in the snapshot and in NOTICE. */
export const demoMarks: Record<string, Record<string, unknown>> = {
  'openai/gpt-4o-2024-05-13': { expiration_date: '2026-12-05' },
  'openai/gpt-3.5-turbo-0613': { expiration_date: '2026-10-31' },
  // Renamed: the slug is that of its former id.
  'mistralai/mistral-large': {
    canonical_slug: 'mistralai/large-20261110',
    links: { details: '/api/v1/models/mistralai/large-20261110/endpoints' },
  },
  'thinkingmachines/inkling-2-small:free': { per_request_limits: { prompt_tokens: 16_384, completion_tokens: 4_096 } },
};

/** Routers choose the model that answers, so their price is unknown. `openrouter/free` chooses among free ones. */
export const routers = /^(openrouter\/(?!free$)|typesafe\/jev-router$)/;

export const tokenizers: [pattern: RegExp, name: string][] = [
  [/^(openrouter\/|typesafe\/jev-router)/, 'Router'],
  [/^~?openai\//, 'GPT'],
  [/^~?anthropic\//, 'Claude'],
  [/^google\/gemma/, 'Gemma'],
  [/^~?google\//, 'Gemini'],
  [/^~?x-ai\//, 'Grok'],
  [/^qwen\/qwen3/, 'Qwen3'],
  [/^qwen\//, 'Qwen'],
  [/^~?deepseek\//, 'DeepSeek'],
  [/^mistralai\//, 'Mistral'],
  [/^meta-llama\/llama-4/, 'Llama4'],
  [/^meta-llama\//, 'Llama3'],
  [/^cohere\//, 'Cohere'],
  [/^amazon\//, 'Nova'],
];

export const orderOfKeys = [
  'id',
  'canonical_slug',
  'alias_target',
  'hugging_face_id',
  'name',
  'created',
  'description',
  'context_length',
  'architecture',
  'pricing',
  'top_provider',
  'per_request_limits',
  'supported_parameters',
  'default_parameters',
  'supported_voices',
  'knowledge_cutoff',
  'expiration_date',
  'links',
  'reasoning',
];
