import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { useApp } from './support/start-app.ts';

/*
 * A stranger who has the README and the server's /docs and /api/openapi.json, and nothing else: programs and drafts are
 * taken from there as they are printed.
 */
const root = join(import.meta.dirname, '..');
const app = useApp();
let listings: ReadonlyMap<string, string>;

beforeAll(async () => {
  listings = readListings(await (await fetch(`${app.current.url}/docs`)).text());
});

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" };

/** What the page prints to be copied, by its caption. */
function readListings(page: string): Map<string, string> {
  const figures = page.matchAll(/<figcaption>([^<]*)<\/figcaption>\s*<pre[^>]*><code>([^<]*)<\/code>/g);
  const toText = (markup: string): string =>
    markup.replaceAll(/&(\w+|#\d+);/g, (all, name: string) => entities[name] ?? all);
  return new Map([...figures].map(([, caption = '', code = '']) => [toText(caption), toText(code)]));
}

function getListing(begin: string): string {
  const found = [...listings].find(([caption]) => caption.startsWith(begin));
  if (!found) {
    throw new Error(`The docs print nothing under "${begin}".`);
  }
  return found[1];
}

/** The program of the README that pays with the official client. */
async function readPayProgram(): Promise<string> {
  return /```js\n(.*?)```/s.exec(await readFile(join(root, 'README.md'), 'utf8'))?.[1] ?? '';
}

async function runShell(folder: string, script: string): Promise<string> {
  const environment = { HOME: folder, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  const { stdout } = await promisify(execFile)('bash', ['-eu', '-o', 'pipefail', '-c', script], {
    cwd: folder,
    env: environment,
  });
  return stdout;
}

test('whoever follows README and /docs alone publishes a translation, a picture and a JSON extractor, tests each and sells each', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-stranger-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'pay.mjs'), await readPayProgram());
  const wanted = ['translation', 'poster', 'invoice-fields', 'plain-words'];
  for (const slug of wanted) {
    await writeFile(join(folder, `${slug}.draft.json`), getListing(`draft.json: ${slug}`));
    await writeFile(join(folder, `${slug}.input.json`), getListing(`input.json: ${slug}`));
  }
  const one = (slug: string): string => `
cp ${slug}.draft.json draft.json; cp ${slug}.input.json input.json
echo; echo "=== ${slug}"
${getListing('3. ')}
node pay.mjs "$URL" "$(cat input.json)"`;
  const script = [getListing('1. '), getListing('2. '), ...wanted.map(one)].join('\n');
  const [begun = '', ...sold] = (await runShell(folder, script)).split(/^=== /m);
  expect(begun).toContain('"isValid":true');
  expect(sold.map((told) => told.split('\n')[0])).toEqual(wanted);
  for (const told of sold) {
    expect(told).toContain('"isPublishable":true,"problems":[],');
    expect(told).toContain('"state":"published"');
    expect(told).toMatch(/"test":true.*"paidUsdc":"0"/);
    expect(told).toMatch(/^200 \{.*paidUsdc: '0\.(02|15|3)'/ms);
    expect(told).not.toContain('"status":4');
  }
  expect(sold[1]).toMatch(/^200 \{.*images: \[/ms);
});

test('a step of the docs or of the README that is refused says so, and hands nothing wrong to the next one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-stranger-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'draft.json'), JSON.stringify({ kind: 'banana', slug: 'a' }));
  await writeFile(join(folder, 'input.json'), '{}');
  const refused = [
    'set +e',
    getListing('1. ')
      .replaceAll(/your-name/g, 'A wrong name!')
      .replaceAll('you@', 'nobody@'),
    'echo "KEY=[$KEY]"',
    getListing('3. '),
    'echo "ID=[$ID] URL=[$URL]"',
  ].join('\n');
  const told = await runShell(folder, refused);
  expect(told).toMatch(/"code":"unauthenticated".*KEY=\[\]/s);
  expect(told).toMatch(/"code":"\w+".*ID=\[\] URL=\[\]/s);
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const texts = [...listings.values(), ...[...readme.matchAll(/```sh\n(.*?)```/gs)].map((found) => found[1] ?? '')];
  // What is cut out of an answer is nothing where the answer is another one, and the answer itself is printed.
  expect(texts.filter((text) => /sed -E/.test(text))).toEqual([]);
  expect(getListing('3. ')).toContain('15 s');
  for (const text of texts.filter((one) => one.includes('/api/resources '))) {
    expect(text).toContain('echo "$DRAFT"');
  }
});

test('the drafts on the docs page are the examples of the OpenAPI document', async () => {
  const document = (await (await fetch(`${app.current.url}/api/openapi.json`)).json()) as {
    paths: Record<
      string,
      { post: { requestBody: { content: Record<string, { examples: Record<string, { value: unknown }> }> } } }
    >;
  };
  const examples = document.paths['/api/resources']?.post.requestBody.content['application/json']?.examples ?? {};
  for (const [slug, { value }] of Object.entries(examples)) {
    expect(JSON.parse(getListing(`draft.json: ${slug}`))).toEqual(value);
  }
  expect(Object.keys(examples).length).toBeGreaterThanOrEqual(4);
});

test('the docs page names each setting of each kind, and the header of the owner’s test', async () => {
  const page = await (await fetch(`${app.current.url}/docs`)).text();
  const names = [
    'modelId',
    'systemPrompt',
    'userMessage',
    'fallbackModels',
    'imageConfig',
    'allowsUserMessage',
    'upstream',
  ];
  expect(names.filter((name) => !page.includes(`<code>${name}</code>`))).toEqual([]);
  expect(page).toContain('X-Owner-Test');
  expect(page).toContain('{name}{/name}');
});
