import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { payFor, getChallenge, send } from './support/paid-request.ts';
import {
  bytes,
  goodStream,
  startScriptedUpstream,
  status,
  type ScriptedUpstream,
} from './support/scripted-upstream.ts';
import { useApp, type Creator } from './support/start-app.ts';

const environment: Record<string, string> = {};
let upstream: ScriptedUpstream;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  environment['UPSTREAM_ORIGINS'] = upstream.url;
});
const app = useApp(environment);
afterAll(() => upstream.close());

const schema = {
  type: 'object',
  properties: { city: { type: 'string', enum: ['Kiruna', 'Oslo'] }, people: { type: 'integer', minimum: 0 } },
  required: ['city', 'people'],
  additionalProperties: false,
};
let creator: Creator;
let count = 0;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});
beforeEach(() => {
  count += 1;
});

/** On the scripted upstream, which takes no key. */
const publishElsewhere = (more: object = {}, config: object = {}) =>
  creator.publish({
    slug: `census-${count}`,
    kind: 'prompt_template',
    config: {
      model: 'tiny',
      systemPrompt: 'Where is {topic}{/topic}?',
      upstream: { type: 'chat_completions', baseUrl: `${upstream.url}/v1`, apiKeySecret: null },
      outputSchema: schema,
      ...config,
    },
    ...more,
  });

const says = (text: string) => bytes(goodStream(text));
const sent = (index: number) =>
  JSON.parse(upstream.seen[index]?.body ?? '{}') as { messages: { content: string }[]; response_format?: object };

async function buy(url: string) {
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const before = await app.current.balanceOf(buyer.address);
  const answer = await send(url, { payment, body: { topic: 'the mine' } });
  return { payment, answer, paid: before - (await app.current.balanceOf(buyer.address)) };
}

test('on OpenRouter the schema is sent, only providers that know it answer, and the buyer reads the object beside the text', async () => {
  const { url } = await creator.publish({
    slug: 'on-openrouter',
    priceUsdc: '0.02',
    config: {
      modelId: 'openai/gpt-4o-mini',
      systemPrompt: 'Census of {topic}{/topic}.',
      maxTokens: 300,
      outputSchema: schema,
    },
  });
  const { answer } = await buy(url);
  expect(answer).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0.02' } } });
  expect(answer.body['output']).toEqual(JSON.parse(String(answer.body['response'])));
  expect(app.current.sandbox?.openRouter?.control.requests.at(-1)?.body).toMatchObject({
    response_format: { type: 'json_schema', json_schema: { name: 'output', strict: true, schema } },
    provider: { require_parameters: true },
  });
});

test('an answer in a fence of code is read, and a number that a double would change keeps its digits, also in the kept answer', async () => {
  const { url } = await publishElsewhere();
  upstream.script(says('\ufeffHere it is:\n```json\n{"city":"Oslo","people":12345678901234567890}\n```\n'));
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const ask = (token?: string) =>
    fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'PAYMENT-SIGNATURE': payment,
        ...(token ? { 'X-Farebox-Answer-Token': token } : {}),
      },
      body: '{"topic":"the mine"}',
    });
  const first = await ask();
  expect(await first.text()).toContain('"output":{"city":"Oslo","people":12345678901234567890}');
  const again = await ask(first.headers.get('X-Farebox-Answer-Token') ?? '');
  expect(await again.text()).toContain('"people":12345678901234567890');
  expect(upstream.seen).toHaveLength(1);
});

test('an answer that does not fit is asked for once more with what is wrong, and the second one is sold with the cost of both', async () => {
  const { url, id } = await publishElsewhere();
  upstream.script(says('{"city":"Rome","people":"many"}'), says('{"city":"Oslo","people":7}'));
  const { answer, paid } = await buy(url);
  expect(answer).toMatchObject({ status: 200, body: { output: { city: 'Oslo', people: 7 } } });
  expect(paid).toBe(10_000n);
  expect(
    sent(1)
      .messages.map(({ content }) => content)
      .slice(1),
  ).toEqual([
    '{"city":"Rome","people":"many"}',
    expect.stringMatching(
      /\/city must be equal to one of the allowed values: \["Kiruna","Oslo"\]\n- \/people must be integer/,
    ),
  ]);
  const { body } = await creator.call('GET', `/api/usage?resourceId=${id}`);
  const [line] = body['items'] as Record<string, unknown>[];
  expect(line).toMatchObject({ attempts: 2, evidence: { isRepaired: true } });
});

test('what fits neither time is not charged: the buyer reads no more than that, the creator reads which rules were broken', async () => {
  const { url, id } = await publishElsewhere();
  upstream.script(says('no JSON at all'), says('{"city":"Oslo"}'));
  const { answer, paid } = await buy(url);
  expect(answer).toMatchObject({ status: 502, body: { code: 'upstream_failed', charged: false } });
  expect(JSON.stringify(answer.body)).not.toMatch(/schema|city|Oslo/i);
  expect(paid).toBe(0n);
  const { body } = await creator.call('GET', `/api/usage?resourceId=${id}`);
  const [line] = body['items'] as Record<string, unknown>[];
  expect(line?.['cause']).toMatch(/^output_invalid: .*must have required property 'people'/);
});

test('JSON that its token limit has cut is not sold and not asked for again', async () => {
  const { url } = await publishElsewhere();
  upstream.script(status(200, { choices: [{ message: { content: '{"city":"Os' }, finish_reason: 'length' }] }));
  expect((await buy(url)).answer.status).toBe(502);
  expect(upstream.seen).toHaveLength(1);
});

test('the schema stands in the public view, in the 402 of both versions and, as the form of an answer, in the OpenAPI document', async () => {
  const { url, id } = await publishElsewhere();
  const view = await send(`${app.current.url}/api/resources/${id}`, { method: 'GET' });
  expect(view.body['outputSchema']).toEqual(schema);
  const challenge = JSON.stringify(await getChallenge(url));
  expect(challenge).toContain('"enum":["Kiruna","Oslo"]');
  expect(challenge).toContain('"output":{"city":"Kiruna","people":0}');
  expect(JSON.stringify((await send(url)).body)).toContain('"enum":["Kiruna","Oslo"]');
  const openapi = JSON.stringify((await send(`${app.current.url}/api/openapi.json`, { method: 'GET' })).body);
  expect(openapi).toContain('the answer as the JSON object that fits it');
});

test('publishing tells every part of a schema that is not read, and what strict mode would need', async () => {
  const made = await creator.call('POST', '/api/resources', {
    slug: `bad-${count}`,
    kind: 'openrouter_instant',
    config: {
      modelId: 'openai/gpt-4o-mini',
      systemPrompt: 'x',
      outputSchema: {
        type: 'object',
        properties: {
          a: { $ref: 'https://evil.example/schema' },
          b: { type: 'array', uniqueItems: true },
          c: { type: 'string', pattern: '(?=x)' },
          d: { $ref: '#/$defs/loop' },
        },
        $defs: { loop: { type: 'object', properties: { next: { $ref: '#/$defs/loop' } } } },
      },
    },
  });
  const problems = made.body['problems'] as { path: string }[];
  expect(problems.map(({ path }) => path)).toEqual(
    expect.arrayContaining([
      '/config/outputSchema/properties/a/$ref',
      '/config/outputSchema/properties/b/uniqueItems',
      '/config/outputSchema/properties/c/pattern',
      '/config/outputSchema/properties/d/properties/next/$ref',
    ]),
  );
  const loose = await creator.call('POST', '/api/resources', {
    slug: `loose-${count}`,
    kind: 'openrouter_instant',
    priceUsdc: '0.01',
    network: 'eip155:84532',
    payTo: creator.payTo,
    config: {
      modelId: 'openai/gpt-4o-mini',
      systemPrompt: 'x',
      outputSchema: { type: 'object', properties: { a: { type: 'string' } } },
    },
  });
  expect(JSON.stringify(loose.body['warnings'])).toContain('strict mode');
});

test('a resource has an OpenAPI document of its own, with its input, the promised output and its price', async () => {
  const { url, id } = await publishElsewhere({ slug: 'documented', priceUsdc: '0.02' });
  const get = (path: string) => send(`${app.current.url}/api/resources/${path}/openapi.json`, { method: 'GET' });
  const { status: found, body: document } = await get(id);
  expect(found).toBe(200);
  expect(await new Validator().validate(structuredClone(document))).toMatchObject({ valid: true });
  const { paths, components } = document as unknown as Documented;
  expect(Object.keys(paths)).toEqual(['/@ada/documented']);
  const call = paths['/@ada/documented']?.post;
  expect(call?.['x-payment-info']).toMatchObject({ price: { mode: 'fixed', currency: 'USD', amount: '0.02' } });
  expect(call?.requestBody.content['application/json'].schema).toMatchObject({ required: ['topic'] });
  expect(Object.keys(call?.responses ?? {})).toEqual(expect.arrayContaining(['200', '400', '402', '502']));
  upstream.script(says('{"city": "Oslo", "people": 7}'));
  const { answer } = await buy(url);
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const answers = call?.responses['200']?.content?.['application/json']?.schema;
  const validate = ajv.compile({ ...answers, components });
  expect([validate(answer.body), validate.errors]).toEqual([true, null]);
  expect(validate({ ...answer.body, output: { city: 'Paris', people: 7 } })).toBe(false);
  const { output: _, ...without } = answer.body;
  expect(validate(without)).toBe(false);
  expect((await get(crypto.randomUUID())).body).toMatchObject({ code: 'not_found' });
  expect((await get('documented')).body).toMatchObject({ code: 'invalid_input' });
});

interface Documented {
  paths: Record<
    string,
    {
      post: {
        'x-payment-info': object;
        requestBody: { content: Record<'application/json', { schema: object }> };
        responses: Record<string, { content?: Record<string, { schema: object }> }>;
      };
    }
  >;
  components: object;
}
