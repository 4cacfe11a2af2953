import { z } from 'zod';
import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';

const partSchema = z.looseObject({ type: z.string() });
const messageSchema = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z.union([z.string(), z.array(partSchema)]).nullish(),
});

const effortSchema = z.enum(['max', 'xhigh', 'high', 'medium', 'low', 'minimal', 'none']);
const priceSchema = z.union([z.string().regex(/^\d+(\.\d+)?$/), z.number().nonnegative()]);

const sortSchema = z.enum(['price', 'throughput', 'latency', 'exacto']);
const preferredSchema = z.union([z.number(), z.record(z.string(), z.number())]);

const chatSchema = z.looseObject({
  model: z.string().min(1).optional(),
  models: z.array(z.string()).optional(),
  messages: z.array(messageSchema).min(1),
  max_tokens: z.number().int().positive().nullish(),
  max_completion_tokens: z.number().int().positive().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  seed: z.number().int().nullish(),
  stream: z.boolean().nullish(),
  modalities: z.array(z.enum(['text', 'image', 'audio'])).nullish(),
  audio: z.looseObject({ voice: z.string(), format: z.string() }).nullish(),
  image_config: z.looseObject({ aspect_ratio: z.string().optional(), image_size: z.string().optional() }).nullish(),
  response_format: z
    .looseObject({ type: z.string(), json_schema: z.looseObject({ schema: z.unknown() }).optional() })
    .nullish(),
  tools: z
    .array(z.looseObject({ function: z.looseObject({ name: z.string(), parameters: z.unknown() }).optional() }))
    .nullish(),
  tool_choice: z.union([z.string(), z.looseObject({})]).nullish(),
  reasoning: z
    .looseObject({
      effort: effortSchema.nullish(),
      max_tokens: z.number().int().nonnegative().nullish(),
      enabled: z.boolean().nullish(),
      exclude: z.boolean().nullish(),
    })
    .nullish(),
  reasoning_effort: effortSchema.nullish(),
  provider: z
    .looseObject({
      only: z.array(z.string()).nullish(),
      ignore: z.array(z.string()).nullish(),
      order: z.array(z.string()).nullish(),
      allow_fallbacks: z.boolean().nullish(),
      require_parameters: z.boolean().nullish(),
      data_collection: z.enum(['allow', 'deny']).nullish(),
      zdr: z.boolean().nullish(),
      quantizations: z.array(z.string()).nullish(),
      sort: z.union([sortSchema, z.looseObject({ by: sortSchema.nullish() })]).nullish(),
      preferred_min_throughput: preferredSchema.nullish(),
      preferred_max_latency: preferredSchema.nullish(),
      max_price: z
        .looseObject({
          prompt: priceSchema.optional(),
          completion: priceSchema.optional(),
          request: priceSchema.optional(),
          image: priceSchema.optional(),
          audio: priceSchema.optional(),
        })
        .nullish(),
    })
    .nullish(),
  session_id: z.string().max(256).nullish(),
  plugins: z.array(z.looseObject({ id: z.string() })).nullish(),
});

export type ChatRequest = z.infer<typeof chatSchema>;
export type ChatMessage = z.infer<typeof messageSchema>;

/** Untrusted body -> request, or the 400 that OpenRouter answers. */
export function parseChat(body: unknown): ChatRequest | Refusal {
  if (body === null || typeof body !== 'object') {
    return refuse(400, 'Invalid JSON body', { error_type: 'invalid_request' });
  }
  if (!('messages' in body)) {
    return refuse(400, 'Input required: specify "prompt" or "messages"', { error_type: 'invalid_request' });
  }
  const parsed = chatSchema.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const message = `Invalid input: ${issue?.path.join('.') ?? 'body'}: ${issue?.message ?? 'not valid'}`;
    return refuse(400, message, { error_type: 'invalid_request' });
  }
  if (parsed.data.model === undefined && !parsed.data.models?.length) {
    return refuse(400, 'No models provided', { error_type: 'invalid_request' });
  }
  return parsed.data;
}

/** The text of one message, its parts joined. */
export function textOf(message: ChatMessage | undefined): string {
  const content = message?.content ?? '';
  if (typeof content === 'string') {
    return content;
  }
  return content
    .filter((part) => part.type === 'text')
    .map((part) => (typeof part['text'] === 'string' ? part['text'] : ''))
    .join('\n');
}

export function maxTokensOf(request: ChatRequest): number | null {
  return request.max_completion_tokens ?? request.max_tokens ?? null;
}
