export const MODEL = 'openai/gpt-4o-mini';
export const MAX_TOKENS = 120;

/** Calls the management API as one creator; throws where it is refused. */
export type Call = (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>;

/** A new creator, made as everybody makes one: over HTTP. */
export async function openCreator(publicUrl: string, username: string): Promise<Call> {
  const cookie = await signUpAndIn(publicUrl, username);
  return async (method, path, body) => {
    const response = await fetch(`${publicUrl}${path}`, {
      method,
      headers: { Cookie: cookie, Origin: publicUrl, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    }
    return (await response.json()) as Record<string, unknown>;
  };
}

/** The same with a working key and one published text resource. */
export async function publishResource(
  publicUrl: string,
  given: { apiKey: string; payTo: string; priceUsdc: string },
): Promise<{ resourceUrl: string; ownerKey: string }> {
  const call = await openCreator(publicUrl, 'bench');
  await call('PUT', '/api/user/integrations/openrouter', { apiKey: given.apiKey });
  await publishDraft(call, {
    kind: 'openrouter_instant',
    slug: 'haiku',
    priceUsdc: given.priceUsdc,
    payTo: given.payTo,
    config: {
      modelId: MODEL,
      systemPrompt: 'Write a haiku about {topic}{/topic}.',
      maxTokens: MAX_TOKENS,
    },
  });
  const { secret } = await call('POST', '/api/user/api-keys', { label: 'bench', scopes: ['resources:write'] });
  return { resourceUrl: `${publicUrl}/@bench/haiku`, ownerKey: String(secret) };
}

/** Publishes a resource about one topic. */
export async function publishDraft(
  call: Call,
  draft: { slug: string; payTo: string } & Record<string, unknown>,
): Promise<void> {
  const { id } = await call('POST', '/api/resources', {
    name: draft.slug,
    description: 'An answer about the topic that you name.',
    category: 'ai',
    network: 'eip155:84532',
    parameters: [{ name: 'topic', type: 'string', description: 'Any topic.', required: true, maxLength: 200 }],
    ...draft,
  });
  await call('POST', `/api/resources/${String(id)}/publish`, {});
}

/** @returns the Cookie header. */
async function signUpAndIn(publicUrl: string, username: string): Promise<string> {
  const given = { email: `${username}@example.com`, password: 'correct horse battery' };
  const post = async (path: string, body: object): Promise<Response> => {
    const response = await fetch(`${publicUrl}/api/auth/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) {
      throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    }
    return response;
  };
  await post('sign-up/email', { ...given, name: username, username });
  const { headers } = await post('sign-in/email', given);
  return headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
}
