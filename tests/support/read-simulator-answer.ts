/** What the tests read of answers; nothing is checked here, the tests do that. */
export interface Answer {
  id: string;
  model: string;
  provider: string;
  choices: Choice[];
  usage: Usage;
  error: AnswerError;
}

interface Choice {
  finish_reason: string | null;
  message: Piece;
  delta: Piece;
  error: AnswerError;
}

interface Piece {
  content: string | null;
  images?: { image_url: { url: string } }[];
  tool_calls?: { function: { name: string; arguments: string } }[];
}

interface Usage {
  completion_tokens: number;
  cost: number;
  is_byok: boolean;
  cost_details: { upstream_inference_cost: number };
  completion_tokens_details: { image_tokens: number };
}

interface AnswerError {
  code: number;
  message: string;
  metadata: Record<string, unknown>;
  availability: Record<string, unknown>;
}

export interface Stream {
  events: Answer[];
  comments: number;
  isDone: boolean;
}

export async function readAnswer(response: Response): Promise<Answer> {
  return (await response.json()) as Answer;
}

export async function readStream(response: Response): Promise<Stream> {
  return parseStream(await response.text());
}

export function parseStream(raw: string): Stream {
  const blocks = raw.split('\n\n').filter(Boolean);
  const data = blocks.filter((block) => block.startsWith('data: ')).map((block) => block.slice(6));
  return {
    events: data.filter((text) => text !== '[DONE]').map((text) => JSON.parse(text) as Answer),
    comments: blocks.filter((block) => block === ': OPENROUTER PROCESSING').length,
    isDone: data.at(-1) === '[DONE]',
  };
}

/** The bytes of the first picture of an answer. */
export function pictureOf({ choices }: Answer): Buffer {
  const url = choices[0]?.message.images?.[0]?.image_url.url ?? '';
  return Buffer.from(url.split(',')[1] ?? '', 'base64');
}
