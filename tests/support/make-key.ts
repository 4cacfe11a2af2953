import type { Creator } from './start-app.ts';

/** An API key of an account. Throws where it is refused. */
export async function makeKey(owner: Creator, scopes: readonly string[]): Promise<{ id: string; secret: string }> {
  const { status, body } = await owner.call('POST', '/api/user/api-keys', { label: 'of a test', scopes });
  if (status !== 201) {
    throw new Error(`An API key could not be made: ${JSON.stringify(body)}`);
  }
  return { id: String(body['id']), secret: String(body['secret']) };
}
