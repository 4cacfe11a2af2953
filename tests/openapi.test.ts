import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { useApp } from './support/start-app.ts';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules', name);
const app = useApp();

interface Document {
  paths: Record<string, Record<string, Documented>>;
  components: { schemas: Record<string, { properties?: Record<string, unknown> }> };
}

interface Documented {
  operationId: string;
  tags: string[];
  parameters?: { name: string; in: string; style?: string }[];
  requestBody?: { content: Record<string, { schema: unknown; examples?: Record<string, { value: unknown }> }> };
  responses: Record<string, { content?: Record<string, { schema?: unknown }> }>;
}

let text: string;
let document: Document;

beforeAll(async () => {
  text = await (await fetch(`${app.current.url}/api/openapi.json`)).text();
  document = JSON.parse(text) as Document;
});

interface Ran {
  code: number;
  output: string;
}

async function run(file: string, given: readonly string[], cwd: string): Promise<Ran> {
  const environment = {
    PATH: process.env['PATH'],
    HOME: cwd,
    REDOCLY_TELEMETRY: 'off',
    REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
  };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file, ...given], { cwd, env: environment });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-openapi-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'openapi.json'), text);
  return folder;
}

test('redocly finds no error in the OpenAPI document by its recommended rules', async () => {
  const folder = await makeFolder();
  const given = ['lint', 'openapi.json', '--extends=recommended', '--format=json'];
  const { code, output } = await run(bin('@redocly/cli/bin/cli.js'), given, folder);
  expect([code, code === 0 ? '' : output]).toEqual([0, '']);
});

test('spectral finds no error in the OpenAPI document by its rules for OpenAPI', async () => {
  const folder = await makeFolder();
  await writeFile(join(folder, 'rules.yaml'), 'extends: ["spectral:oas"]\n');
  const given = ['lint', 'openapi.json', '--ruleset=rules.yaml', '--fail-severity=error'];
  const { code, output } = await run(bin('@stoplight/spectral-cli/dist/index.js'), given, folder);
  expect([code, code === 0 ? '' : output]).toEqual([0, '']);
});

test('a client that openapi-typescript generates refuses a kind and a setting that do not exist, and takes the examples', async () => {
  const folder = await makeFolder();
  await run(join(root, 'tests/support/generate-types-child.ts'), ['openapi.json', 'api.ts'], folder);
  expect(await readFile(join(folder, 'api.ts'), 'utf8')).toContain('kind: "openrouter_instant"');
  const examples = document.paths['/api/resources']?.['post']?.requestBody?.content['application/json']?.examples ?? {};
  const bodies = Object.values(examples).map(({ value }) => `(${JSON.stringify(value)}) satisfies Body;`);
  const program = (more: string): string =>
    `import type { operations, paths } from './api.ts';
type Body = operations['resources.create']['requestBody']['content']['application/json'];
type SignUp = operations['auth.sign_up']['requestBody']['content']['application/json'];
type Answer = operations['resource.call']['responses'][200]['content']['application/json'];
export const read = (answer: Answer): [string, string | null] => [answer.response, answer.receipt.transaction];
({ email: 'ada@example.com', password: 'correct horse', username: 'ada' }) satisfies SignUp;
export type Key = paths['/api/user/integrations/openrouter']['post'];
${more}`;
  const wrong = [
    `({ kind: 'banana', slug: 'a' }) satisfies Body;`,
    `({ kind: 'openrouter_instant', slug: 'a', config: { banana: 1 } }) satisfies Body;`,
    `({ kind: 'prompt_template', slug: 'a', config: { modelId: 'x' } }) satisfies Body;`,
    `({ kind: 'openrouter_instant', slug: 'a', config: { imageConfig: { imageSize: '3K' } } }) satisfies Body;`,
    `({ kind: 'openrouter_instant', slug: 'a', priceUsdc: 1 }) satisfies Body;`,
    `({ email: 'ada@example.com' }) satisfies SignUp;`,
  ];
  await writeFile(join(folder, 'right.ts'), program(bodies.join('\n')));
  await writeFile(join(folder, 'wrong.ts'), program(wrong.map((line) => `// @ts-expect-error\n${line}`).join('\n')));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--allowImportingTsExtensions', '--module', 'nodenext'];
  expect(bodies.length).toBeGreaterThan(3);
  expect(await run(bin('typescript/lib/tsc.js'), [...options, 'right.ts', 'wrong.ts'], folder)).toEqual({
    code: 0,
    output: '',
  });
});

/** Every name of a member of a schema, with where it stands. */
function listMembers(value: unknown, place = ''): { name: string; place: string }[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, item]) => {
    const here = `${place}/${key}`;
    const own = key === 'properties' && typeof item === 'object' ? Object.keys(item as object) : [];
    return [...own.map((name) => ({ name, place: here })), ...listMembers(item, here)];
  });
}

/** Names with an underscore, each with its reason. */
const named = new Set([
  // The design's names of statistics, which its SQL views carry too (docs/names.md).
  'call_count',
  'success_count_30d',
  'failure_count_30d',
  'last_called_at',
  'total_earned_usdc',
  // Tokens of a chat answer, by the names that clients of chat completions know.
  'input_tokens',
  'output_tokens',
  'total_tokens',
]);

/** What clients of OpenAI read has OpenAI's names. */
const isOpenai = (place: string): boolean => /^(?:\/paths\/)?\/v1\/|^\/components\/schemas\/Openai/.test(place);

test('members of JSON are written in camelCase, but for the statistics and tokens that have names of their own', () => {
  const members = listMembers(document).filter(({ place }) => !isOpenai(place));
  expect(members.length).toBeGreaterThan(200);
  const queries = Object.values(document.paths).flatMap((item) =>
    Object.values(item).flatMap((one) => one.parameters ?? []),
  );
  const all = [
    ...members,
    ...queries.filter((one) => one.in === 'query').map(({ name }) => ({ name, place: 'query' })),
  ];
  expect(all.filter(({ name }) => !/^[a-z][a-zA-Z0-9]*$/.test(name) && !named.has(name))).toEqual([]);
  expect([...named].filter((name) => !members.some((member) => member.name === name))).toEqual([]);
});

/** Every name of a member of a body. */
function listNames(value: unknown, place = ''): { name: string; place: string }[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([name, item]) => {
    const here = `${place}/${name}`;
    return [...(isList ? [] : [{ name, place: here }]), ...listNames(item, here)];
  });
}

interface Body {
  path: string;
  body: unknown;
}

/** Bodies as they are served, of what reads and of a call. */
async function readBodies(): Promise<Body[]> {
  const creator = await app.current.makeCreator('ada');
  const { id } = await creator.publish({ slug: 'essay' });
  const open = Object.entries(document.paths).filter(([path, item]) => item['get'] && !/[{@]|csv|metrics/.test(path));
  const asked = [...open.map(([path]) => path), `/api/resources/${id}`, `/api/resources/${id}/versions`];
  const read = asked.map(async (path) => ({ path, body: (await creator.call('GET', path)).body }));
  const call = await fetch(`${app.current.url}/@ada/essay`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Cookie: creator.cookie, 'X-Owner-Test': 'true' },
    body: JSON.stringify({ topic: 'rain' }),
  });
  return [...(await Promise.all(read)), { path: '/@ada/essay', body: await call.json() }];
}

test('members of what is really served are written in camelCase too, but for the names that docs/names.md lists', async () => {
  const names = await readFile(join(root, 'docs/names.md'), 'utf8');
  const bodies = await readBodies();
  const found = bodies
    .filter(({ path }) => path !== '/api/openapi.json')
    .flatMap(({ path, body }) => listNames(body).map(({ name, place }) => ({ name, place: `${path}${place}` })));
  expect(bodies.length).toBeGreaterThan(12);
  expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining(['finishReason', 'call_count', 'configSchema']));
  const odd = found.filter(({ name, place }) => !isOpenai(place) && !/^\$?[a-z][a-zA-Z0-9]*$/.test(name));
  expect(odd.map(({ name }) => name)).toContain('input_cache_read');
  // Prices stand under the names that OpenRouter gives them; kinds and digits are data.
  const isPrice = (place: string): boolean => /\/pricing\//.test(place);
  const others = odd.filter(({ name, place }) => !named.has(name) && !isPrice(place));
  expect(others.filter(({ name }) => name !== 'user_message')).toEqual([]);
  expect(names).toContain('`pricing`');
  expect([...named, 'user_message'].filter((name) => !names.includes(`\`${name}\``))).toEqual([]);
});

test('the methods of a resource’s path are those that it answers', async () => {
  const item = document.paths['/@{creator}/{slug}'] ?? {};
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
  const statuses = await Promise.all(
    methods.map(async (method) => (await fetch(`${app.current.url}/@demo/haiku`, { method })).status),
  );
  const served = methods.filter((_, index) => statuses[index] !== 405);
  expect(
    Object.keys(item)
      .map((name) => name.toUpperCase())
      .toSorted(),
  ).toEqual(served);
  expect(item['get']?.parameters).toContainEqual(expect.objectContaining({ in: 'query', style: 'form' }));
  expect(text).not.toContain('Any method');
});

interface Objects {
  properties?: Record<string, unknown>;
  required?: string[];
}

test('what sign-up, health and sandbox answer is typed, and holds what its schema says', async () => {
  const json = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
  const newcomer = { email: 'new@example.com', password: 'a long sentence of mine', username: 'newcomer' };
  const address = `0x${'12'.repeat(20)}`;
  const asked: [string, string, RequestInit?][] = [
    ['/api/auth/sign-up/email', 'post', { ...json, body: JSON.stringify(newcomer) }],
    ['/sandbox/faucet', 'post', { ...json, body: JSON.stringify({ address }) }],
    ['/sandbox', 'get'],
    ['/healthz', 'get'],
    ['/readyz', 'get'],
  ];
  for (const [path, method, init] of asked) {
    const response = await fetch(`${app.current.url}${path}`, init);
    const body = (await response.json()) as object;
    const { schema = {} } = document.paths[path]?.[method]?.responses['200']?.content?.['application/json'] ?? {};
    const { properties = {}, required = [] } = schema as Objects;
    expect([path, response.status, Object.keys(body).filter((name) => !(name in properties))]).toEqual([path, 200, []]);
    expect([path, required.length > 0, required.filter((name) => !(name in body))]).toEqual([path, true, []]);
  }
});

test('every tag has a text of its own', () => {
  const { tags } = JSON.parse(text) as { tags: { name: string; description: string }[] };
  expect(tags.filter(({ name, description }) => description === name)).toEqual([]);
});

test('the docs page lists every route of the document', async () => {
  const page = await (await fetch(`${app.current.url}/docs`)).text();
  const routes = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, { operationId, tags }]) => !tags.includes('call') && !operationId.endsWith('.by_post'))
      .map(([method]) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  );
  expect(routes).toEqual(expect.arrayContaining(['POST /api/auth/revoke-session', 'GET /readyz', 'GET /sandbox']));
  expect(routes.filter((route) => !page.includes(`<code>${route}</code>`))).toEqual([]);
});

test('the document names what a creator writes, what a caller sends and what comes back', () => {
  for (const word of ['modelId', 'systemPrompt', 'userMessage', 'imageConfig', 'X-Owner-Test', 'PAYMENT-SIGNATURE']) {
    expect(text).toContain(word);
  }
  expect(text).toContain('{name}{/name}');
  const { paths, components } = document;
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining(['/api/auth/sign-up/email', '/api/auth/sign-in/email', '/api/resources/{id}/validate']),
  );
  expect(Object.keys(components.schemas)).toEqual(
    expect.arrayContaining(['openrouter_instant.answer', 'prompt_template.answer', 'Receipt', 'Problem']),
  );
  const call = paths['/@{creator}/{slug}']?.['post'];
  expect(Object.keys(call?.responses ?? {})).toEqual(
    expect.arrayContaining(['200', '400', '402', '404', '409', '422', '429', '502', '503', '504']),
  );
});
