interface Given {
  payTo: string;
  /** Of OpenRouter, where the resources need one. */
  apiKey?: string;
  drafts: readonly ({ slug: string; priceUsdc: string } & Record<string, unknown>)[];
}

/** A text resource on OpenRouter. */
export const haiku = {
  kind: 'openrouter_instant',
  slug: 'haiku',
  config: {
    modelId: 'openai/gpt-4o-mini',
    systemPrompt: 'Write a haiku about {topic}{/topic}.',
    maxTokens: 120,
  },
};

/** A creator with published resources about one topic, made as everybody makes them: over HTTP. Returns their URLs. */
export async function publishResource(publicUrl: string, { apiKey, payTo, drafts }: Given): Promise<string[]> {
  const cookie = await signUpAndIn(publicUrl);
  const call = async (method: string, path: string, body: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(`${publicUrl}${path}`, {
      method,
      headers: { Cookie: cookie, Origin: publicUrl, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) {
      throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    }
    return (await response.json()) as Record<string, unknown>;
  };
  if (apiKey !== undefined) {
    await call('PUT', '/api/user/integrations/openrouter', { apiKey });
  }
  const urls: string[] = [];
  for (const draft of drafts) {
    const { id } = await call('POST', '/api/resources', {
      name: draft.slug,
      description: 'An answer about the topic that you name.',
      category: 'ai',
      payTo,
      network: 'eip155:84532',
      parameters: [{ name: 'topic', type: 'string', description: 'Any topic.', required: true, maxLength: 200 }],
      ...draft,
    });
    await call('POST', `/api/resources/${String(id)}/publish`, {});
    urls.push(`${publicUrl}/@bench/${draft.slug}`);
  }
  return urls;
}

/** @returns the Cookie header. */
async function signUpAndIn(publicUrl: string): Promise<string> {
  const given = { email: 'bench@example.com', password: 'correct horse battery' };
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
  await post('sign-up/email', { ...given, name: 'bench', username: 'bench' });
  const { headers } = await post('sign-in/email', given);
  return headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
}
