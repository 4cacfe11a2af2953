import { expect, test } from 'vitest';
import { payFor, send } from './support/paid-request.ts';
import { useApp } from './support/start-app.ts';

const app = useApp();

interface Line {
  callId: string;
  status: string;
  at: string;
}

test('the log is filtered, paged and exported as CSV over HTTP, each call once', async () => {
  const ada = await app.current.makeCreator('ada');
  const essay = await ada.publish({ slug: 'essay' });
  const poem = await ada.publish({ slug: 'poem' });
  const [buyer, other] = [await app.current.makeBuyer(), await app.current.makeBuyer()];
  const pay = async (url: string, who = buyer) =>
    (await send(url, { body: { topic: 'rivers' }, payment: await payFor(who, url) })).status;
  expect([await pay(essay.url), await pay(essay.url, other), await pay(poem.url)]).toEqual([200, 200, 200]);
  app.current.sandbox?.openRouter?.control.fail('400_context_length', { times: 1 });
  expect(await pay(poem.url)).toBeGreaterThanOrEqual(400);
  const asOwner = { 'X-Owner-Test': 'true', Origin: app.current.url };
  expect((await send(essay.url, { body: { topic: 'x' }, cookie: ada.cookie, headers: asOwner })).status).toBe(200);

  const ask = async (query: string) => {
    const { body } = await ada.call('GET', `/api/usage?${query}`);
    return body as unknown as { items: Line[]; nextCursor: string | null };
  };
  const all = (await ask('limit=100')).items;
  expect(all).toHaveLength(5);
  const counts = await Promise.all(
    [
      `resourceId=${poem.id}`,
      'status=success',
      'status=failed',
      'isTest=true',
      'isTest=false',
      `payer=${other.address}`,
      `from=${all[1]?.at}`,
      `to=${all[1]?.at}`,
      `resourceId=${crypto.randomUUID()}`,
    ].map(async (query) => (await ask(query)).items.length),
  );
  expect(counts).toEqual([2, 4, 1, 1, 4, 1, 2, 3, 0]);

  const paged: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page = await ask(`limit=2${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    paged.push(...page.items.map(({ callId }) => callId));
    cursor = page.nextCursor;
  }
  expect(paged).toEqual(all.map(({ callId }) => callId));

  const csv = await fetch(`${app.current.url}/api/usage.csv?resourceId=${poem.id}`, {
    headers: { Cookie: ada.cookie },
  });
  expect(csv.headers.get('Content-Type')).toMatch(/^text\/csv/);
  const [header, ...lines] = (await csv.text()).trimEnd().split('\r\n');
  expect(header).toMatch(/^callId,resourceId,/);
  expect(lines.map((line) => line.split(',')[1])).toEqual([poem.id, poem.id]);
});
