import { OpenRouter } from '@openrouter/sdk';
import type { ChatRequest, ChatResult, ChatStreamChunk } from '@openrouter/sdk/models';
import * as errors from '@openrouter/sdk/models/errors';
import OpenAI from 'openai';
import { beforeAll, describe, expect, test } from 'vitest';
import { useSimulator } from '../../tests/support/use-simulator.ts';

/** The official clients, unmodified, read every answer of the simulator. */

const MODEL = 'openai/gpt-4.1-mini';
const messages = [{ role: 'user' as const, content: 'Tell me about lighthouses' }];
const simulator = useSimulator({ generationDelayMs: 0 });
let sdk: OpenRouter;
let openai: OpenAI;

beforeAll(() => {
  sdk = openSdk(simulator.keys.healthy);
  openai = new OpenAI({ apiKey: simulator.keys.healthy, baseURL: simulator.url, maxRetries: 0 });
});

function openSdk(apiKey: string): OpenRouter {
  return new OpenRouter({ apiKey, serverURL: simulator.url, retryConfig: { strategy: 'none' }, timeoutMs: 10_000 });
}

/** The client types both forms of the answer as one union. */
async function ask(chatRequest: Omit<ChatRequest, 'stream'>): Promise<ChatResult> {
  const answer = await sdk.chat.send({ chatRequest });
  if (!('choices' in answer)) {
    throw new Error('answered with a stream');
  }
  return answer;
}

const say = (model = MODEL): Promise<ChatResult> => ask({ model, messages });

describe('@openrouter/sdk', () => {
  test('lists, counts and describes models', async () => {
    const listed = await sdk.models.list({ outputModalities: 'all' });
    const models = listed.result.data;
    expect(models.length).toBeGreaterThan(350);
    const { data } = await sdk.models.count();
    expect(data.count).toBeGreaterThan(300);
    for (const model of models.filter((_, at) => at % 20 === 0)) {
      const [author = '', slug = ''] = model.id.split('/');
      const endpoints = await sdk.endpoints.list({ author, slug });
      expect(endpoints.data.endpoints.length).toBeGreaterThan(0);
    }
  });

  test('reads a JSON answer, with pictures and reasoning', async () => {
    const answer = await say();
    expect(answer.choices[0]?.message.content).toContain('[simulated]');
    expect(answer.usage?.cost).toBeGreaterThan(0);
    const picture = await ask({
      model: 'google/gemini-2.5-flash-image',
      messages,
      modalities: ['image', 'text'],
    });
    expect(picture.choices[0]?.message.images?.[0]?.imageUrl.url).toContain('data:image/png;base64,');
    const thought = await ask({ model: 'openai/gpt-5', messages, reasoning: { effort: 'high' } });
    expect(thought.choices[0]?.message.reasoning).toContain('[simulated]');
    expect(thought.usage?.completionTokensDetails?.reasoningTokens).toBeGreaterThan(0);
  });

  test('reads a stream to its usage', async () => {
    const stream = await sdk.chat.send({ chatRequest: { model: MODEL, messages, stream: true } });
    if ('choices' in stream) {
      throw new Error('answered without a stream');
    }
    const chunks: ChatStreamChunk[] = [];
    for await (const chunk of stream) {
      chunks.push(chunk);
    }
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    expect(text).toBe((await say()).choices[0]?.message.content);
    expect(chunks.at(-1)?.usage?.totalTokens).toBeGreaterThan(0);
  });

  test('reads generations, keys and credits', async () => {
    const { id, usage } = await say();
    const generation = await sdk.generations.getGeneration({ id });
    expect(generation.data.totalCost).toBe(usage?.cost);
    const key = await sdk.apiKeys.getCurrentKeyMetadata();
    expect(key.data.usage).toBe(usage?.cost);
    expect(key.data.label).toMatch(/^sk-or-v1-\w{3}\.\.\.\w{3}$/);
    const credits = await openSdk(simulator.keys.management).credits.getCredits();
    expect(credits.data.totalCredits).toBe(1_000);
    await expect(sdk.credits.getCredits()).rejects.toBeInstanceOf(errors.ForbiddenResponseError);
  });

  test('reads models, endpoints and providers one by one and by account', async () => {
    const [author = '', slug = ''] = MODEL.split('/');
    expect((await sdk.models.get({ author, slug })).data.id).toBe(MODEL);
    const own = await sdk.models.listForUser({ bearer: simulator.keys.healthy });
    expect(own.result.data.length).toBeGreaterThan(300);
    expect((await sdk.endpoints.listZdrEndpoints()).data.length).toBeGreaterThan(100);
    const { data: endpoints } = await sdk.endpoints.list({ author, slug });
    expect(endpoints.endpoints.map(({ tag }) => tag)).toEqual(['simulated', 'simulated-private', 'simulated-plus']);
    expect((await sdk.providers.list()).data).toHaveLength(3);
  });

  test('reads what was asked and answered', async () => {
    const { id, choices } = await say();
    const { data } = await sdk.generations.listGenerationContent({ id });
    expect(data.output).toMatchObject({ completion: choices[0]?.message.content });
  });

  test('makes, changes and deletes keys', async () => {
    const manager = openSdk(simulator.keys.management);
    const made = await manager.apiKeys.create({ requestBody: { name: 'capped', limit: 2, limitReset: 'weekly' } });
    expect(made.data).toMatchObject({ name: 'capped', limitRemaining: 2 });
    const { hash } = made.data;
    const changed = await manager.apiKeys.update({ hash, requestBody: { disabled: true } });
    expect(changed.data.disabled).toBe(true);
    expect((await manager.apiKeys.get({ hash })).data.hash).toBe(hash);
    expect((await manager.apiKeys.list({ includeDisabled: true })).data.some((key) => key.hash === hash)).toBe(true);
    expect((await manager.apiKeys.delete({ hash })).deleted).toBe(true);
    await expect(manager.apiKeys.get({ hash })).rejects.toBeInstanceOf(errors.NotFoundResponseError);
  });

  test('finds empty lists where nothing is kept', async () => {
    const manager = openSdk(simulator.keys.management);
    const lists = [
      (await manager.byok.list()).result.data,
      (await manager.guardrails.list()).result.data,
      (await manager.presets.list()).result.data,
      (await manager.workspaces.list()).result.data,
      (await manager.analytics.getUserActivity()).data,
      (await manager.organization.listMembers()).result.data,
      (await manager.observability.list()).result.data,
    ];
    expect(lists.flat()).toEqual([]);
  });

  test('reads responses and their streams', async () => {
    const answer = await sdk.responses.send({ responsesRequest: { model: MODEL, input: 'Tell me about lighthouses' } });
    expect(answer).toMatchObject({ status: 'completed', object: 'response' });
    const stream = await sdk.responses.send({
      responsesRequest: { model: MODEL, input: 'Tell me about lighthouses', stream: true },
    });
    const types: string[] = [];
    for await (const event of stream as AsyncIterable<{ type: string }>) {
      types.push(event.type);
    }
    expect(types[0]).toBe('response.created');
    expect(types.at(-1)).toBe('response.completed');
  });

  const typed: [fault: string, type: new (...args: never[]) => Error, status: number][] = [
    ['400_invalid', errors.BadRequestResponseError, 400],
    ['401_user_not_found', errors.UnauthorizedResponseError, 401],
    ['402_credits', errors.PaymentRequiredResponseError, 402],
    ['403_moderation', errors.ForbiddenResponseError, 403],
    ['404_tools', errors.NotFoundResponseError, 404],
    ['408', errors.RequestTimeoutResponseError, 408],
    ['413', errors.PayloadTooLargeResponseError, 413],
    ['422', errors.UnprocessableEntityResponseError, 422],
    ['429_upstream', errors.TooManyRequestsResponseError, 429],
    ['500', errors.InternalServerResponseError, 500],
    ['502', errors.BadGatewayResponseError, 502],
    ['503', errors.ServiceUnavailableResponseError, 503],
    ['524', errors.EdgeNetworkTimeoutResponseError, 524],
    ['529', errors.ProviderOverloadedResponseError, 529],
    ['504', errors.OpenRouterDefaultError, 504],
    ['520_html', errors.OpenRouterDefaultError, 520],
  ];
  test.each(typed)('%s is its typed error', async (fault, type, status) => {
    const error: unknown = await say(`sim/${fault}`).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(type);
    expect((error as { statusCode: number }).statusCode).toBe(status);
  });

  test('keys that do not work are refused as by the real one', async () => {
    const refusals: [string, new (...args: never[]) => Error][] = [
      [simulator.keys.disabled, errors.UnauthorizedResponseError],
      [simulator.keys.expired, errors.UnauthorizedResponseError],
      ['sk-or-v1-unknown', errors.UnauthorizedResponseError],
      [simulator.keys.empty, errors.PaymentRequiredResponseError],
      [simulator.keys.exhausted, errors.PaymentRequiredResponseError],
      [simulator.keys.freeTier, errors.PaymentRequiredResponseError],
      [simulator.keys.rateLimited, errors.TooManyRequestsResponseError],
      [simulator.keys.management, errors.ForbiddenResponseError],
    ];
    for (const [key, type] of refusals) {
      await expect(openSdk(key).chat.send({ chatRequest: { model: MODEL, messages } })).rejects.toBeInstanceOf(type);
    }
  });
});

describe('openai', () => {
  test('lists models, reads JSON and streams', async () => {
    const models = await openai.models.list();
    expect(models.data.length).toBeGreaterThan(300);
    const answer = await openai.chat.completions.create({ model: MODEL, messages });
    expect(answer.choices[0]?.message.content).toContain('[simulated]');
    const stream = await openai.chat.completions.create({ model: MODEL, messages, stream: true });
    let text = '';
    let total = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      total = chunk.usage?.total_tokens ?? total;
    }
    expect(text).toBe(answer.choices[0]?.message.content);
    expect(total).toBe(answer.usage?.total_tokens);
  });

  test('calls a tool in a stream', async () => {
    const tools = [{ type: 'function' as const, function: { name: 'look_up', parameters: { type: 'object' } } }];
    const stream = openai.chat.completions.stream({ model: MODEL, messages, tools, tool_choice: 'required' });
    const final = await stream.finalChatCompletion();
    const [call] = final.choices[0]?.message.tool_calls ?? [];
    expect(call?.type === 'function' ? call.function.name : null).toBe('look_up');
  });

  const statuses = [
    '400_invalid',
    '401_missing',
    '402_credits',
    '403_region',
    '404_tools',
    '422',
    '429_shared',
    '500',
    '503',
  ];
  test.each(statuses)('%s is an API error with its status', async (fault) => {
    const error: unknown = await openai.chat.completions
      .create({ model: `sim/${fault}`, messages })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect((error as InstanceType<typeof OpenAI.APIError>).status).toBe(Number(fault.slice(0, 3)));
  });

  test('reads responses, their tools and their streams', async () => {
    const input = 'Tell me about lighthouses';
    const answer = await openai.responses.create({ model: MODEL, input });
    expect(answer.output_text).toContain('[simulated]');
    const stream = openai.responses.stream({ model: MODEL, input });
    expect((await stream.finalResponse()).output_text).toBe(answer.output_text);
    const called = await openai.responses.create({
      model: MODEL,
      input,
      tools: [{ type: 'function', name: 'look_up', parameters: { type: 'object' }, strict: null }],
      tool_choice: 'required',
    });
    expect(called.output[0]).toMatchObject({ type: 'function_call', name: 'look_up' });
    await expect(openai.responses.create({ model: MODEL, input, store: true })).rejects.toMatchObject({ status: 400 });
  });

  test('an error inside a stream is thrown', async () => {
    const stream = await openai.chat.completions.create({ model: 'sim/stream_error_typed', messages, stream: true });
    const read = async (): Promise<void> => {
      for await (const chunk of stream) {
        expect(chunk.choices.length).toBeGreaterThan(0);
      }
    };
    await expect(read()).rejects.toThrow('Provider disconnected');
  });
});
