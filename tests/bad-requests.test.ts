import { beforeAll, describe, expect, test } from 'vitest';
import { listBadCalls } from './support/bad-calls.ts';
import { listBadCredentials } from './support/bad-credentials.ts';
import { listBadDrafts, listUnpublishable } from './support/bad-drafts.ts';
import { listBadHttp } from './support/bad-http.ts';
import { listBadPayments } from './support/bad-payments.ts';
import { listBadQueries } from './support/bad-queries.ts';
import type { Bad } from './support/bad-request.ts';
import { openWorld, type World } from './support/bad-request-world.ts';
import { changedTables, readTables } from './support/read-tables.ts';
import { sendBytes, sendRaw } from './support/send-raw.ts';
import { useApp } from './support/start-app.ts';

const app = useApp();
let world: World;
beforeAll(async () => {
  world = await openWorld(app.current);
});

describe.each<[string, (world: World) => Bad[] | Promise<Bad[]>, number]>([
  ['payments', listBadPayments, 33],
  ['calls', listBadCalls, 47],
  ['credentials', listBadCredentials, 22],
  ['drafts', listBadDrafts, 33],
  ['publications', listUnpublishable, 6],
  ['queries', listBadQueries, 30],
  ['HTTP', listBadHttp, 17],
])('bad requests: %s', (_, list, atLeast) => {
  test('every bad request is refused in clear words and changes nothing', async () => {
    const table = await list(world);
    expect(table.length).toBeGreaterThanOrEqual(atLeast);
    const before = await readTables(world.app.databaseUrl);
    const asked = countAsked();
    const found = [];
    for (const bad of table) {
      found.push(...(await findFaults(bad)));
    }
    expect(found).toEqual([]);
    expect(changedTables(before, await readTables(world.app.databaseUrl))).toEqual([]);
    expect(countAsked()).toBe(asked);
    expect(await world.app.balanceOf(world.buyer.address)).toBe(10_000_000n);
  });
});

/** Without what is read again from time to time. */
function countAsked(): number | undefined {
  const requests = world.app.sandbox?.openRouter?.control.requests;
  return requests?.filter(({ path }) => !path.endsWith('/endpoints')).length;
}

async function findFaults({ why, send, status, code, says }: Bad): Promise<string[]> {
  const { url } = world.app;
  const answer = typeof send === 'string' ? await sendBytes(url, send) : await sendRaw(url, send);
  const { json } = answer;
  const words = [json['detail'], json['next'], json['error'], json['message'], JSON.stringify(json['errors'])].join(
    ' ',
  );
  return [
    ...(answer.status === status ? [] : [`${why}: status ${answer.status} instead of ${status}: ${answer.text}`]),
    ...(code === undefined || json['code'] === code ? [] : [`${why}: code ${String(json['code'])} instead of ${code}`]),
    ...(says.test(words) ? [] : [`${why}: does not say ${String(says)}: ${words}`]),
    ...(json['charged'] === true ? [`${why}: says that money moved`] : []),
    ...(/undefined|\bat \w+ \(|node:internal|TypeError|postgres/i.test(words)
      ? [`${why}: technical words: ${words}`]
      : []),
  ];
}
