import { z } from 'zod';
import { parseChat } from './parse-chat.ts';
import type { ChatRequest } from './parse-chat.ts';
import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';

const partSchema = z.looseObject({ type: z.string() });

const itemSchema = z.looseObject({
  type: z.string().optional(),
  role: z.enum(['system', 'developer', 'user', 'assistant']).optional(),
  content: z.union([z.string(), z.array(partSchema)]).optional(),
});

const responsesSchema = z.looseObject({
  input: z.union([z.string(), z.array(itemSchema).min(1)]),
  instructions: z.string().nullish(),
  max_output_tokens: z.number().int().positive().nullish(),
  text: z.looseObject({ format: z.looseObject({ type: z.string(), schema: z.unknown() }).nullish() }).nullish(),
  tools: z.array(z.looseObject({ type: z.string() })).nullish(),
  tool_choice: z.unknown().optional(),
  store: z.boolean().nullish(),
  background: z.boolean().nullish(),
  previous_response_id: z.string().nullish(),
});

type Item = z.infer<typeof itemSchema>;

/** The body of `POST /responses` -> the same question as a chat, which is what is answered. */
export function parseResponses(body: unknown): ChatRequest | Refusal {
  const parsed = responsesSchema.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return invalid(`Invalid input: ${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not valid'}`);
  }
  const { input, instructions, max_output_tokens, text, tools, tool_choice, store, background, ...rest } = parsed.data;
  if (store || background || rest.previous_response_id) {
    return invalid('This API keeps no responses: store, background and previous_response_id are not supported');
  }
  const asked = typeof input === 'string' ? [{ role: 'user', content: input }] : input.flatMap(toMessage);
  return parseChat({
    ...rest,
    messages: [...(instructions ? [{ role: 'system', content: instructions }] : []), ...asked],
    max_tokens: max_output_tokens,
    response_format: toFormat(text?.format),
    tools: tools?.map(toTool),
    tool_choice: toChoice(tool_choice),
  });
}

function invalid(message: string): Refusal {
  return refuse(400, message, { error_type: 'invalid_request' });
}

const partTypes: Record<string, string> = { input_text: 'text', output_text: 'text', input_image: 'image_url' };

function toMessage(item: Item): Record<string, unknown>[] {
  if (item.type === 'function_call_output') {
    return [
      {
        role: 'tool',
        content: typeof item['output'] === 'string' ? item['output'] : JSON.stringify(item['output'] ?? ''),
      },
    ];
  }
  if (item.role === undefined) {
    return [];
  }
  const { content = '' } = item;
  const parts = typeof content === 'string' ? content : content.map((part) => toPart(part));
  return [{ role: item.role, content: parts }];
}

function toPart(part: z.infer<typeof partSchema>): Record<string, unknown> {
  const type = partTypes[part.type] ?? part.type;
  return type === 'image_url' ? { type, image_url: { url: part['image_url'] } } : { ...part, type };
}

function toFormat(format: { type: string; schema?: unknown } | null | undefined): Record<string, unknown> | undefined {
  return format ? { type: format.type, json_schema: { schema: format.schema } } : undefined;
}

function toTool({ type, name, parameters, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return type === 'function' ? { type, function: { name, parameters } } : { type, name, parameters, ...rest };
}

function toChoice(choice: unknown): unknown {
  const name = typeof choice === 'object' && choice !== null ? (choice as { name?: unknown }).name : undefined;
  return name === undefined ? choice : { type: 'function', function: { name } };
}
