import { Big } from 'big.js';
import { expect, test } from 'vitest';
import { askSimulator } from '../../tests/support/ask-simulator.ts';
import { makeMp4, makePdf, makePng, makeWav, toDataUrl } from '../../tests/support/files.ts';
import { useSimulator } from '../../tests/support/use-simulator.ts';

/* What a request is billed for reading: files by their bytes, searches, thinking and caches. */
const simulator = useSimulator();
/** Reads everything. */
const READER = 'google/gemini-2.5-flash';
/** Reads text alone. */
const BLIND = 'aion-labs/aion-2.0';

interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  cost: number;
  prompt_tokens_details: {
    audio_tokens: number;
    video_tokens: number;
    cached_tokens: number;
    cache_write_tokens: number;
  };
  completion_tokens_details: { reasoning_tokens: number };
  cost_details: { upstream_inference_cost: number; upstream_inference_prompt_cost: number };
  server_tool_use_details?: { web_search_requests: number };
}

async function ask(model: string, part: object | null, more: object = {}): Promise<Usage> {
  const content = [{ type: 'text', text: 'Hi' }, ...(part === null ? [] : [part])];
  const response = await askSimulator(simulator, { model, messages: [{ role: 'user', content }], ...more });
  expect(response.status).toBe(200);
  return ((await response.json()) as { usage: Usage }).usage;
}

const pdf = (bytes: Buffer) => ({
  type: 'file',
  file: { filename: 'a.pdf', file_data: toDataUrl('application/pdf', bytes) },
});
const wav = (seconds: number) => ({
  type: 'input_audio',
  input_audio: { data: makeWav(seconds).toString('base64'), format: 'wav' },
});
const film = (seconds: number) => ({
  type: 'video_url',
  video_url: { url: toDataUrl('video/mp4', makeMp4(seconds)) },
});
const picture = (width: number, height: number) => ({
  type: 'image_url',
  image_url: { url: toDataUrl('image/png', makePng(width, height)) },
});
const withEngine = (engine: string) => ({ plugins: [{ id: 'file-parser', pdf: { engine } }] });

/** What is paid beside the tokens. */
const beside = ({ cost, cost_details: { upstream_inference_cost: tokens } }: Usage) =>
  Number(new Big(cost).minus(tokens));
/** What one token of the prompt costs by the provider that answers. */
async function promptPrice(model: string): Promise<Big> {
  const usage = await ask(model, null);
  return new Big(usage.cost_details.upstream_inference_prompt_cost).div(usage.prompt_tokens);
}
const promptCost = (usage: Usage) => new Big(usage.cost_details.upstream_inference_prompt_cost);

test.each([
  ['mistral-ocr', READER, 0.014],
  ['cloudflare-ai', READER, 0],
  ['native', READER, 0],
  ['mistral-ocr', BLIND, 0.014],
  ['cloudflare-ai', BLIND, 0],
  [undefined, READER, 0],
  [undefined, BLIND, 0.014],
])('seven pages read by %s for %s cost %s USD beside their tokens', async (engine, model, usd) => {
  const without = await ask(model, null);
  for (const packed of [false, true]) {
    const usage = await ask(model, pdf(makePdf(7, { packed })), engine === undefined ? {} : withEngine(engine));
    expect(beside(usage)).toBe(usd);
    expect(usage.prompt_tokens - without.prompt_tokens).toBe(7_000);
  }
});

test('sound counts by its seconds, at the price of sound', async () => {
  simulator.control.changePrice(READER, { audio: '0.000001' });
  const base = await promptPrice(READER);
  const without = await ask(READER, null);
  const usage = await ask(READER, wav(2.5));
  expect(usage.prompt_tokens_details.audio_tokens).toBe(80);
  expect(usage.prompt_tokens - without.prompt_tokens).toBe(80);
  const extra = promptCost(usage).minus(promptCost(without)).div(80);
  // Providers differ in all their prices by the same factor.
  expect(Number(extra.div(base))).toBeCloseTo(1 / 0.3, 9);
});

test('a film counts by its seconds: its frames as prompt, its sound as sound', async () => {
  simulator.control.changePrice(READER, { audio: '0.000001' });
  const base = await promptPrice(READER);
  const without = await ask(READER, null);
  const usage = await ask(READER, film(3));
  expect(usage.prompt_tokens_details).toMatchObject({ audio_tokens: 96, video_tokens: 774 });
  const extra = promptCost(usage).minus(promptCost(without)).div(base);
  expect(Number(extra)).toBeCloseTo(774 + 96 / 0.3, 6);
});

test('pictures count by their size, at the price of a picture or of its tokens', async () => {
  const tokens = async (model: string, part: object) =>
    (await ask(model, part)).prompt_tokens - (await ask(model, null)).prompt_tokens;
  expect(await tokens(READER, picture(768, 768))).toBe(258);
  expect(await tokens(READER, picture(769, 768))).toBe(516);
  expect(await tokens('openai/gpt-4o-mini', picture(512, 512))).toBe(8_500);
  const base = await promptPrice(READER);
  const without = promptCost(await ask(READER, null));
  simulator.control.changePrice(READER, { image_token: '0.0000006' });
  const byToken = promptCost(await ask(READER, picture(768, 768)))
    .minus(without)
    .div(base);
  expect(Number(byToken)).toBeCloseTo(2 * 258, 6);
  simulator.control.reset();
  simulator.control.changePrice(READER, { image: '0.003' });
  const whole = promptCost(await ask(READER, picture(768, 768)))
    .minus(without)
    .div(base);
  expect(Number(whole)).toBeCloseTo(258 + 10_000, 6);
});

test('thinking is billed as output, unless it has a price of its own that is not zero', async () => {
  const asked = { reasoning: { effort: 'high' } };
  const plain = await ask(READER, null, asked);
  expect(plain.completion_tokens_details.reasoning_tokens).toBeGreaterThan(0);
  simulator.control.changePrice(READER, { internal_reasoning: '0' });
  expect((await ask(READER, null, asked)).cost).toBe(plain.cost);
  simulator.control.changePrice(READER, { internal_reasoning: '0.00001' });
  expect((await ask(READER, null, asked)).cost).toBeGreaterThan(plain.cost);
});

test('a server tool searches as often as it may, and the whole prompt is read again after each search', async () => {
  const search = (parameters: object) => ({ tools: [{ type: 'openrouter:web_search', parameters }] });
  const without = await ask(READER, wav(1));
  const counts = new Set<number>();
  for (let at = 0; at < 12; at += 1) {
    const usage = await ask(READER, wav(1 + at), search({ engine: 'parallel', max_uses: 3, max_results: 2 }));
    const count = usage.server_tool_use_details?.web_search_requests ?? 0;
    counts.add(count);
    expect(beside(usage)).toBeCloseTo(0.005 * count, 12);
    const asked = without.prompt_tokens + 32 * at;
    expect(usage.prompt_tokens).toBe(asked * (count + 1) + (600 * count * (count + 1)) / 2);
  }
  expect([...counts].toSorted((one, other) => one - other)).toStrictEqual([1, 2, 3]);
});

test('the plugin searches once before the answer, and results beyond ten are paid apart', async () => {
  const usage = await ask(READER, null, { plugins: [{ id: 'web', engine: 'exa', max_results: 14 }] });
  expect(beside(usage)).toBeCloseTo(0.007 + 4 * 0.001, 12);
  const without = await ask(READER, null);
  expect(usage.prompt_tokens - without.prompt_tokens).toBe(14 * 300);
});

test('some makers write every prompt to their cache, and bill it', async () => {
  const usage = await ask('openai/gpt-6-luna', null);
  expect(usage.prompt_tokens_details.cache_write_tokens).toBeGreaterThan(0);
  expect((await ask('anthropic/claude-haiku-4.5', null)).prompt_tokens_details.cache_write_tokens).toBe(0);
});

test('a transcript is billed by the seconds that the sound tells', async () => {
  const body = {
    model: 'openai/whisper-1',
    input_audio: { data: makeWav(1.5).toString('base64'), format: 'wav' },
  };
  const response = await fetch(`${simulator.url}/audio/transcriptions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${simulator.keys.healthy}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(await response.json()).toMatchObject({ usage: { seconds: 1.5 } });
});
