import type { Creator } from './start-app.ts';

const CONNECT = '/api/user/integrations/openrouter/connect';

/** Begins a connection as this creator. @returns the consent page at OpenRouter, and what the page sends back to. */
export async function beginConnect(creator: Creator): Promise<{ consent: URL; callback: URL }> {
  const { status, body } = await creator.call('POST', CONNECT, {});
  if (status !== 200) {
    throw new Error(`The connection could not be begun: ${status} ${JSON.stringify(body)}`);
  }
  const consent = new URL(String(body['authorizationUrl']));
  return { consent, callback: new URL(consent.searchParams.get('callback_url') ?? '') };
}

/** What a person does on the consent page. @returns where the browser is sent. */
export async function decide(consent: URL, decision: 'approve' | 'deny', limit = ''): Promise<URL> {
  const chosen = new URL(consent);
  chosen.searchParams.set('decision', decision);
  chosen.searchParams.set('limit', limit);
  const answered = await fetch(chosen, { redirect: 'manual' });
  return new URL(answered.headers.get('location') ?? `about:blank#${answered.status}`);
}

/** The browser goes there with the cookie of this creator, of nobody where null. @returns where it ends, and the page. */
export async function follow(url: URL, creator: Pick<Creator, 'cookie'> | null, method = 'GET') {
  const headers: Record<string, string> = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' };
  if (creator !== null) {
    headers['Cookie'] = creator.cookie;
  }
  const answered = await fetch(url, { method, headers, redirect: 'manual' });
  const location = answered.headers.get('location');
  const page = location === null ? '' : await (await fetch(new URL(location, url))).text();
  return { status: answered.status, location, page, headers: answered.headers };
}
