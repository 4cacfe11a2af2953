import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import { APICallError, generateText, Output, streamText } from 'ai';
import type { LanguageModel } from 'ai';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { useSimulator } from '../../tests/support/use-simulator.ts';

const MODEL = 'openai/gpt-4.1-mini';
const simulator = useSimulator();

describe('ai with the OpenRouter provider', () => {
  const question = { prompt: 'Tell me about lighthouses', maxRetries: 0 };
  const modelOf = (id: string = MODEL): LanguageModel =>
    createOpenRouter({ apiKey: simulator.keys.healthy, baseURL: simulator.url })(id);

  test('reads text, and what it cost', async () => {
    const { text, finalStep } = await generateText({ model: modelOf(), ...question });
    expect(text).toContain('[simulated]');
    expect(finalStep.providerMetadata).toMatchObject({ openrouter: { usage: { cost: expect.any(Number) as number } } });
  });

  test('reads a stream to its end', async () => {
    const { textStream, finishReason } = streamText({ model: modelOf(), ...question });
    let text = '';
    for await (const piece of textStream) {
      text += piece;
    }
    expect(text).toBe((await generateText({ model: modelOf(), ...question })).text);
    expect(await finishReason).toBe('stop');
  });

  test('reads structured output', async () => {
    const schema = z.object({ title: z.string(), stars: z.number().int() });
    const { output } = await generateText({ model: modelOf(), ...question, output: Output.object({ schema }) });
    expect(schema.safeParse(output).success).toBe(true);
  });

  test.each([
    ['503', true],
    ['402_credits', false],
  ])('%s is an APICallError that says whether to try again', async (fault, isRetryable) => {
    const error: unknown = await generateText({ model: modelOf(`sim/${fault}`), ...question }).catch(
      (thrown: unknown) => thrown,
    );
    expect(APICallError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ statusCode: Number(fault.slice(0, 3)), isRetryable });
  });
});
