import { expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type { revokeApiKey } from '#accounts/index.ts';
import type { Operation, OwnDeps } from '#kit/index.ts';
import type { ModelsDeps, triggerSync } from '#models/index.ts';
import type { ResourcesDeps, resumeResource } from '#resources/index.ts';
import { openTypedClient, type OperationTypes } from './support/typed-client.ts';
import { useApp } from './support/start-app.ts';

const app = useApp();

test('a client derived from the list of operations publishes a resource and reads it back', async () => {
  const ada = await app.current.makeCreator('ada');
  const client = openTypedClient(ada.call);
  const { items: kinds } = await client('kinds.list', {});
  expect(kinds.map(({ name }) => name)).toEqual(['openrouter_instant', 'prompt_template']);
  const made = await client('resources.create', {
    kind: 'openrouter_instant',
    slug: 'poem',
    name: 'Poem',
    category: 'ai',
    priceUsdc: '0.01',
    network: 'eip155:84532',
    payTo: ada.payTo,
    parameters: [{ name: 'topic', type: 'string' }],
    config: { modelId: 'openai/gpt-4o-mini', systemPrompt: 'A poem about {topic}{/topic}.' },
  });
  const published = await client('resources.publish', { id: made.id });
  expect(published.state).toBe('published');
  const mine = await client('resources.list', { mine: true, limit: 5 });
  expect(mine.items.map(({ slug }) => slug)).toEqual(['poem']);
  const key = await client('account.api_keys.create', { label: 'ci', scopes: ['usage:read'] });
  expect(await client('account.api_keys.revoke', { id: key.id })).toMatchObject({ label: 'ci' });
  expect((await client('integrations.openrouter.get', {})).isValid).toBe(true);
});

test('an operation is given its own dependencies, and not what callOperation adds', () => {
  type Given<Bound> = keyof OwnDeps<Bound>;
  type DepsOf<Declared> = Declared extends Operation<infer Deps, z.ZodType, z.ZodType> ? Deps : never;
  expectTypeOf<Given<DepsOf<typeof revokeApiKey>>>().toEqualTypeOf<'clock' | 'forgetKeys'>();
  expectTypeOf<Given<DepsOf<typeof resumeResource>>>().toEqualTypeOf<keyof ResourcesDeps>();
  expectTypeOf<Given<DepsOf<typeof triggerSync>>>().toEqualTypeOf<keyof ModelsDeps>();
});

test('what an operation takes and answers is checked by the compiler', () => {
  type Client = ReturnType<typeof openTypedClient>;
  expectTypeOf<OperationTypes['account.get']['output']['isAdmin']>().toEqualTypeOf<boolean>();
  expectTypeOf<OperationTypes['usage.list']['output']['items'][number]['earnedUsdc']>().toEqualTypeOf<string>();
  expectTypeOf<OperationTypes['resources.publish']['input']>().toEqualTypeOf<{
    id: string;
    revision?: number | undefined;
  }>();
  expectTypeOf<OperationTypes['integrations.openrouter.put']['input']['apiKey']>().toEqualTypeOf<string>();
  expectTypeOf<OperationTypes['integrations.openrouter.get']['output']['isFreeTier']>().toEqualTypeOf<boolean>();
  const refused = (client: Client) => [
    // @ts-expect-error there is no such operation
    client('resources.burn', {}),
    // @ts-expect-error the id is missing
    client('resources.publish', {}),
    // @ts-expect-error an id is text
    client('resources.publish', { id: 7 }),
    // @ts-expect-error there is no such scope
    client('account.api_keys.create', { label: 'ci', scopes: ['everything'] }),
    // @ts-expect-error there is no such service
    client('integrations.nobody.get', {}),
    // @ts-expect-error the key is missing
    client('integrations.openrouter.put', {}),
    // @ts-expect-error a misspelt field
    client('resources.create', { kind: 'openrouter_instant', slug: 'poem', prize: '0.01' }),
  ];
  expect(refused).toBeTypeOf('function');
});
