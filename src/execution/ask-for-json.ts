import type { ChatMessage, ChatRequest, ResponseFormat } from '#upstreams/index.ts';
import type { OutputContract } from './output-contract.ts';

/** How far an upstream can hold a model to JSON: to a schema, to JSON of any shape, or not at all. `unknown` is asked and finds out. */
export type JsonAbility = 'schema' | 'json' | 'text' | 'unknown';

interface Asked {
  contract: OutputContract;
  messages: readonly ChatMessage[];
  takes: JsonAbility;
}

/** The messages and the format that ask for the promised JSON. Where the upstream may not take the schema, the prompt holds it. */
export function askForJson({ contract, messages, takes }: Asked): Pick<ChatRequest, 'messages' | 'responseFormat'> {
  const { schema, isStrict } = contract;
  const format: ResponseFormat = { type: 'json_schema', name: 'output', isStrict, schema };
  switch (takes) {
    case 'schema':
      return { messages, responseFormat: format };
    case 'unknown':
      return { messages: withSchema(messages, contract), responseFormat: format };
    case 'json':
      return { messages: withSchema(messages, contract), responseFormat: { type: 'json_object' } };
    case 'text':
      return { messages: withSchema(messages, contract) };
  }
}

/** Into the first message, because some templates of models take one system turn only. */
function withSchema([first, ...rest]: readonly ChatMessage[], { schema }: OutputContract): ChatMessage[] {
  const wish = `Answer with one JSON object and nothing else. It has to fit this JSON Schema:\n${JSON.stringify(schema)}`;
  return first === undefined
    ? [{ role: 'user', content: wish }]
    : [{ ...first, content: withWish(first.content, wish) }, ...rest];
}

function withWish(content: ChatMessage['content'], wish: string): ChatMessage['content'] {
  return typeof content === 'string' ? `${content}\n\n${wish}` : [...content, { type: 'text', text: wish }];
}
