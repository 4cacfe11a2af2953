import { OpenRouter } from '@openrouter/sdk';
import * as errors from '@openrouter/sdk/models/errors';
import { beforeAll, expect, test } from 'vitest';
import { useSimulator } from '../../tests/support/use-simulator.ts';

/** The official client connects an account with PKCE, from the address of the consent page to a key that works. */

const CALLBACK = 'http://localhost:3000/back?state=s';
const simulator = useSimulator({ generationDelayMs: 0 });
let sdk: OpenRouter;
beforeAll(() => {
  sdk = openSdk(simulator.keys.healthy);
});

function openSdk(apiKey: string): OpenRouter {
  return new OpenRouter({ apiKey, serverURL: simulator.url, retryConfig: { strategy: 'none' }, timeoutMs: 10_000 });
}

/** What a person does on the page. @returns the code that comes back, if any. */
async function decide(page: string, decision: 'approve' | 'deny'): Promise<string | null> {
  const chosen = new URL(page);
  chosen.searchParams.set('decision', decision);
  const { headers } = await fetch(chosen, { redirect: 'manual' });
  const back = new URL(headers.get('location') ?? 'about:blank');
  expect(back.searchParams.get('state')).toBe('s');
  return back.searchParams.get('code');
}

async function begin() {
  const { codeChallenge, codeVerifier } = await sdk.oAuth.createSHA256CodeChallenge();
  const asked = { callbackUrl: CALLBACK, codeChallenge, codeChallengeMethod: 'S256' as const, limit: 0.25 };
  return { page: await sdk.oAuth.createAuthorizationUrl(asked), codeChallenge, codeVerifier };
}

const exchange = (code: string, codeVerifier: string, codeChallengeMethod: 'S256' | 'plain' = 'S256') =>
  sdk.oAuth.exchangeAuthCodeForAPIKey({ requestBody: { code, codeVerifier, codeChallengeMethod } });

test('a code of the consent page becomes a key with the cap that was asked for', async () => {
  const { page, codeVerifier } = await begin();
  expect(await (await fetch(page)).text()).toContain('http://localhost:3000');
  const code = await decide(page, 'approve');
  const { key, userId } = await exchange(String(code), codeVerifier);
  expect(userId).toMatch(/^user_/);
  const own = openSdk(key);
  expect((await own.apiKeys.getCurrentKeyMetadata()).data).toMatchObject({ limit: 0.25, limitRemaining: 0.25 });
  const messages = [{ role: 'user' as const, content: 'Tell me about lighthouses' }];
  const said = await own.chat.send({ chatRequest: { model: 'openai/gpt-4.1-mini', messages, maxTokens: 100 } });
  expect('choices' in said && said.choices[0]?.message.content).toContain('[simulated]');
  await expect(exchange(String(code), codeVerifier)).rejects.toBeInstanceOf(errors.ForbiddenResponseError);
});

test('whoever refuses brings no code', async () => {
  expect(await decide((await begin()).page, 'deny')).toBe(null);
});

test('a code is worth nothing with another verifier or method', async () => {
  const { page } = await begin();
  const other = await sdk.oAuth.createSHA256CodeChallenge();
  const code = String(await decide(page, 'approve'));
  await expect(exchange(code, other.codeVerifier)).rejects.toBeInstanceOf(errors.ForbiddenResponseError);
  await expect(exchange(code, other.codeVerifier, 'plain')).rejects.toBeInstanceOf(errors.ForbiddenResponseError);
});

test('a code that a program makes with a key carries limit, period, label and end', async () => {
  const { codeChallenge, codeVerifier } = await sdk.oAuth.createSHA256CodeChallenge();
  const made = await sdk.oAuth.createAuthCode({
    requestBody: {
      callbackUrl: CALLBACK,
      codeChallenge,
      codeChallengeMethod: 'S256',
      limit: 2,
      usageLimitType: 'weekly',
      keyLabel: 'Shop',
      expiresAt: new Date('2099-01-01T00:00:00Z'),
    },
  });
  expect(made.data.createdAt).toMatch(/^\d{4}-/);
  const { key } = await exchange(made.data.id, codeVerifier);
  expect((await openSdk(key).apiKeys.getCurrentKeyMetadata()).data).toMatchObject({
    label: 'Shop',
    limit: 2,
    limitReset: 'weekly',
    expiresAt: new Date('2099-01-01T00:00:00Z'),
  });
});

test('who has no key, asks wrongly or comes too soon after another is told so by its typed error', async () => {
  const requestBody = { callbackUrl: CALLBACK };
  const refused = (client: OpenRouter, callbackUrl = CALLBACK) =>
    client.oAuth.createAuthCode({ requestBody: { ...requestBody, callbackUrl } });
  await expect(refused(openSdk('sk-or-v1-nobody'))).rejects.toBeInstanceOf(errors.UnauthorizedResponseError);
  await expect(refused(sdk, 'http://evil.example')).rejects.toBeInstanceOf(errors.BadRequestResponseError);
  simulator.control.fail('409', { route: 'key' });
  await expect(refused(sdk)).rejects.toBeInstanceOf(errors.ConflictResponseError);
});
