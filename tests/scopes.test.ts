import { expect, test } from 'vitest';
import { scopes } from '#kit/index.ts';
import { makeKey } from './support/make-key.ts';
import { listDeclared, toRequest } from './support/operation-requests.ts';
import { changedTables, readTables } from './support/read-tables.ts';
import { sendRaw } from './support/send-raw.ts';
import { useApp } from './support/start-app.ts';

const app = useApp();
const operations = listDeclared();
const mayBeGiven = scopes.filter((scope) => scope !== 'admin');
const bearer = (secret: string) => ({ Authorization: `Bearer ${secret}` });

test('every operation refuses an API key that lacks exactly its scope, names the scope and does nothing', async () => {
  const ada = await app.current.makeCreator('ada');
  const { id } = await ada.publish({ slug: 'essay' });
  const all = await makeKey(ada, mayBeGiven);
  const guarded = operations.filter(({ scope }) => scope !== 'public');
  const lacking = new Map<string, string>();
  for (const scope of mayBeGiven) {
    lacking.set(
      scope,
      (
        await makeKey(
          ada,
          mayBeGiven.filter((other) => other !== scope),
        )
      ).secret,
    );
  }
  const answers: unknown[] = [];
  const before = await readTables(app.current.databaseUrl);
  for (const operation of guarded) {
    const { headers, ...request } = toRequest(operation, { id });
    const secret = lacking.get(operation.scope) ?? all.secret;
    const answer = await sendRaw(app.current.url, { ...request, headers: { ...headers, ...bearer(secret) } });
    answers.push([operation.name, answer.json['code'], String(answer.json['detail']).includes(operation.scope)]);
  }
  expect(answers).toEqual(guarded.map(({ name }) => [name, 'forbidden', true]));
  expect(guarded.length).toBeGreaterThan(15);
  expect(changedTables(before, await readTables(app.current.databaseUrl))).toEqual([]);
});

test('every operation that is not public refuses nobody with 401', async () => {
  const guarded = operations.filter(({ scope }) => scope !== 'public');
  const answers = await Promise.all(
    guarded.map(async (operation) => (await sendRaw(app.current.url, toRequest(operation, {}))).json['code']),
  );
  expect(answers).toEqual(guarded.map(() => 'unauthenticated'));
});

test('an API key with only the scope of an operation is let through', async () => {
  const bob = await app.current.makeCreator('bob');
  const answers: string[] = [];
  const keys = new Map<string, string>();
  for (const scope of mayBeGiven) {
    keys.set(scope, (await makeKey(bob, [scope])).secret);
  }
  for (const operation of operations.filter(({ scope }) => keys.has(scope))) {
    const { headers, ...request } = toRequest(operation, {});
    const answer = await sendRaw(app.current.url, {
      ...request,
      headers: { ...headers, ...bearer(keys.get(operation.scope) ?? '') },
    });
    answers.push(`${operation.name} ${String(answer.json['code'])}`);
  }
  expect(answers.filter((answer) => /forbidden|unauthenticated|internal/.test(answer))).toEqual([]);
});

test('a change under a session needs the Origin of this site', async () => {
  const { cookie } = await app.current.makeCreator('cleo');
  const changes = operations.filter(({ method }) => method !== 'GET');
  const answers: unknown[] = [];
  for (const operation of changes) {
    const { headers, ...request } = toRequest(operation, {});
    const answer = await sendRaw(app.current.url, { ...request, headers: { ...headers, Cookie: cookie } });
    answers.push([operation.name, answer.json['code'], String(answer.json['detail']).includes('Origin')]);
  }
  expect(answers).toEqual(changes.map(({ name }) => [name, 'forbidden', true]));
});
