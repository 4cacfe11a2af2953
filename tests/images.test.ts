import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
let creator: Creator;
let resource: { id: string; url: string };

interface Image {
  id: string;
  contentType: string;
  width: number;
  height: number;
  url: string;
  expiresAt: string;
}

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
  resource = await creator.publish({
    slug: 'postcard',
    priceUsdc: '0.05',
    acceptsLoss: { maxLossUsdPerCall: '0.3' },
    category: 'media',
    config: {
      modelId: 'google/gemini-2.5-flash-image',
      systemPrompt: 'Paint {topic}{/topic}.',
      maxTokens: 4096,
    },
  });
});

async function buyPicture() {
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, resource.url);
  const answer = await send(resource.url, { payment, body: { topic: 'a harbour' } });
  expect(answer.status).toBe(200);
  const [image, ...others] = answer.body['images'] as Image[];
  expect(others).toEqual([]);
  if (!image) {
    throw new Error('The answer has no image.');
  }
  return { answer, image, payment };
}

describe('a picture that was paid for', () => {
  test('comes as a signed link to a real PNG', async () => {
    const { answer, image } = await buyPicture();
    expect(answer.body).toMatchObject({ receipt: { paidUsdc: '0.05' } });
    expect(image).toMatchObject({ contentType: 'image/png', url: expect.stringContaining(`/api/images/${image.id}?`) });
    expect(Date.parse(image.expiresAt)).toBeGreaterThan(Date.now());
    const response = await fetch(image.url);
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('image/png');
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(response.headers.get('Cache-Control')).toContain('private');
    const png = PNG.sync.read(Buffer.from(await response.arrayBuffer()));
    expect({ width: png.width, height: png.height }).toEqual({ width: image.width, height: image.height });
  });

  test('is shown again to whoever sends the same payment again', async () => {
    const { image, payment } = await buyPicture();
    const again = await send(resource.url, { payment, body: { topic: 'a harbour' } });
    expect(again.body['images']).toEqual([image]);
  });

  test.each<[string, (url: URL) => void]>([
    ['without a signature', (url) => url.searchParams.delete('signature')],
    ['with another signature', (url) => url.searchParams.set('signature', 'A'.repeat(43))],
    ['made to last longer', (url) => url.searchParams.set('expires', '99999999999')],
    ['made to end earlier', (url) => url.searchParams.set('expires', '1')],
    ['with an expiry that is no number', (url) => url.searchParams.set('expires', '1e99')],
    ['of another picture', (url) => (url.pathname = url.pathname.replace(/.$/, (last) => (last === '0' ? '1' : '0')))],
    ['of a path', (url) => (url.pathname = '/api/images/..%2F..%2Fmaster-key')],
  ])('an image link %s opens nothing', async (_, change) => {
    const { image } = await buyPicture();
    const url = new URL(image.url);
    change(url);
    const response = await fetch(url);
    expect([403, 404, 410]).toContain(response.status);
    expect(response.headers.get('Content-Type')).toContain('application/problem+json');
  });

  test('is shown under its link until that expires, and not a moment longer', async () => {
    const { image } = await buyPicture();
    const endsAt = Date.parse(image.expiresAt);
    try {
      vi.useFakeTimers({ toFake: ['Date'], now: endsAt - 60_000 });
      expect((await fetch(image.url)).status).toBe(200);
      vi.setSystemTime(endsAt);
      const late = await fetch(image.url);
      expect([late.status, late.headers.get('Content-Type')]).toEqual([410, 'application/problem+json']);
    } finally {
      vi.useRealTimers();
    }
    expect((await fetch(image.url)).status).toBe(200);
  });

  test('is a file, and nowhere in the database', async () => {
    const { image } = await buyPicture();
    const bytes = Buffer.from(await (await fetch(image.url)).arrayBuffer());
    const { rows } = await app.current.database.system.query<{ name: string; text: string }>(
      `SELECT 'calls' AS name, string_agg(to_jsonb(c)::text, '') AS text FROM calls c
       UNION ALL SELECT 'usage', string_agg(to_jsonb(u)::text, '') FROM x402_prompt_template_usage_logs u
       UNION ALL SELECT 'images', string_agg(to_jsonb(i)::text, '') FROM x402_cached_images i`,
    );
    expect(rows.map(({ name }) => name)).toEqual(['calls', 'usage', 'images']);
    for (const { text } of rows) {
      expect(text).not.toBeNull();
      expect(text).not.toMatch(/base64|data:image|iVBORw0KGgo/);
      expect(text).not.toContain(bytes.toString('base64').slice(0, 200));
      expect(text).not.toContain(bytes.toString('hex').slice(0, 200));
    }
    const folder = join(app.current.folder, 'media');
    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    const kept = files.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name)));
    expect((await Promise.all(kept)).filter((content) => content.equals(bytes)).length).toBeGreaterThan(0);
  });
});

test('an answer without the picture that was paid for is not charged', async () => {
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, resource.url);
  app.current.sandbox?.openRouter?.control.fail('ok_null_content', { times: 9 });
  const failed = await send(resource.url, { payment, body: { topic: 'a harbour' } });
  app.current.sandbox?.openRouter?.control.clearFaults();
  expect(failed).toMatchObject({ status: 502, body: { charged: false } });
  expect(await app.current.balanceOf(buyer.address)).toBe(10_000_000n);
});
