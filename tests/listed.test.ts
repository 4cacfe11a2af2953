import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { validatePaymentRequiredDetailed } from '@agentcash/discovery';
import { beforeAll, describe, expect, test } from 'vitest';
import { getChallenge, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

/* What decides whether catalogues list a resource: the checker that one of them publishes, unmodified. */
const app = useApp();
const checker = createRequire(import.meta.url).resolve('@agentcash/discovery');
const program = join(checker, '../../bin/discovery.js');
const run = promisify(execFile);
let creator: Creator;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});

interface Checked {
  found: boolean;
  advisories: { method: string; inputSchema?: object; outputSchema?: object; estimatedPrice?: string }[];
  warnings: { code: string; severity: string; message: string }[];
}

async function check(url: string): Promise<Checked> {
  const { stdout } = await run(process.execPath, [program, 'check', url, '-v', '--json'], { timeout: 60_000 });
  return JSON.parse(stdout) as Checked;
}

const many = Array.from({ length: 40 }, (_, index) => ({
  name: `parameter_number_${index}`,
  type: 'string',
  description: `What the ${index}th is good for, told at some length: ${'so that it grows '.repeat(6)}`,
  required: index === 0,
  ...(index === 0 ? { maxLength: 100 } : { default: 'nothing in particular' }),
}));

describe('@agentcash/discovery check', () => {
  test.each<[string, Record<string, unknown>]>([
    ['a plain resource', {}],
    ['one that is paid first', { settlementPoint: 'upfront' }],
    ['one with a long description', { description: '俳句 '.repeat(600) }],
    [
      'one with forty parameters',
      {
        parameters: many,
        priceUsdc: '0.1',
        config: {
          modelId: 'openai/gpt-4o-mini',
          systemPrompt: many.map(({ name }) => `{${name}}{/${name}}`).join(' '),
          maxTokens: 60,
        },
      },
    ],
  ])('finds no error in %s', async (what, fields) => {
    const { url } = await creator.publish({ slug: what.replaceAll(' ', '-'), ...fields });
    const { found, advisories, warnings } = await check(url);
    expect(found).toBe(true);
    const methods = advisories.filter((told) => told.inputSchema && told.outputSchema).map(({ method }) => method);
    expect(methods.toSorted()).toEqual(['GET', 'HEAD', 'POST']);
    expect(warnings.filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});

test('each method is told as itself in its 402, with schema and example of the answer', async () => {
  const { url } = await creator.publish({ slug: 'told' });
  for (const method of ['GET', 'POST']) {
    const { headers } = await send(url, { method });
    const required = JSON.parse(Buffer.from(headers.get('PAYMENT-REQUIRED') ?? '', 'base64').toString()) as unknown;
    expect(validatePaymentRequiredDetailed(required)).toMatchObject({ valid: true, issues: [] });
    expect(required).toMatchObject({
      extensions: {
        bazaar: {
          info: { input: { method }, output: { type: 'json', example: { response: 'The answer of the model.' } } },
          schema: {
            properties: {
              output: { properties: { example: { required: ['response', 'model', 'finishReason', 'usage'] } } },
            },
          },
        },
      },
    });
  }
});

test('a description of any length is cut to 500 characters in the 402 and whole in the public view', async () => {
  const description = '俳句 '.repeat(600).trim();
  const { url } = await creator.publish({ slug: 'told-at-length', description });
  const told = (await getChallenge(url)).resource?.description ?? '';
  expect(Array.from(told)).toHaveLength(500);
  expect(description.startsWith(told.slice(0, 499))).toBe(true);
  const view = await creator.call('GET', '/api/creators/ada/told-at-length');
  expect(view).toMatchObject({ status: 200, body: { description } });
});
