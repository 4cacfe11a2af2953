import { randomBytes } from 'node:crypto';
import type { PrivateKeyAccount } from 'viem';
import type { Offer } from '#payments/index.ts';
import { makeKey } from './make-key.ts';
import { getChallenge, toOffer } from './paid-request.ts';
import { encodeHeader, signOffer, toEnvelope, type SignedPayload } from './pay.ts';
import type { RawRequest } from './send-raw.ts';
import type { App, Creator } from './start-app.ts';

/** A creator with something to call in every state, a stranger, API keys of every sort and a wallet with money. */
export interface World {
  app: App;
  ada: Creator;
  mallory: Creator;
  buyer: PrivateKeyAccount;
  /** Of /@ada/essay, which costs 0.01. */
  offer: Offer;
  ids: { essay: string; free: string; paused: string; archived: string; draft: string };
  keys: { reader: string; noUsage: string; revoked: string; expired: string; unknown: string };
  adaKeyId: string;
}

export async function openWorld(app: App): Promise<World> {
  const ada = await app.makeCreator('ada');
  const mallory = await app.makeCreator('mallory');
  const essay = await ada.publish({ slug: 'essay' });
  const free = await ada.publish({ slug: 'free', priceUsdc: '0' });
  const paused = await ada.publish({ slug: 'paused' });
  await ada.call('POST', `/api/resources/${paused.id}/pause`, {});
  const archived = await ada.publish({ slug: 'archived' });
  await ada.call('POST', `/api/resources/${archived.id}/archive`, {});
  const draft = await ada.call('POST', '/api/resources', { kind: 'openrouter_instant', slug: 'unfinished' });
  const revoked = await makeKey(ada, ['resources:read']);
  await ada.call('DELETE', `/api/user/api-keys/${revoked.id}`);
  const expired = await makeKey(ada, ['resources:read']);
  await app.database.system.query(`UPDATE api_keys SET expires_at = now() - interval '1 day' WHERE id = $1`, [
    expired.id,
  ]);
  const reader = await makeKey(ada, ['resources:read', 'usage:read']);
  const noUsage = await makeKey(ada, ['resources:read', 'resources:write']);
  return {
    app,
    ada,
    mallory,
    buyer: await app.makeBuyer(),
    offer: toOffer(await getChallenge(essay.url)),
    ids: {
      essay: essay.id,
      free: free.id,
      paused: paused.id,
      archived: archived.id,
      draft: String(draft.body['id']),
    },
    keys: {
      reader: reader.secret,
      noUsage: noUsage.secret,
      revoked: revoked.secret,
      expired: expired.secret,
      unknown: `fbx_${randomBytes(32).toString('base64url')}`,
    },
    adaKeyId: reader.id,
  };
}

type Change = (envelope: Record<string, unknown> & { payload: SignedPayload }) => unknown;

/** A good payment of the essay by the buyer, changed after it was signed. */
export async function signChanged({ buyer, offer }: World, version: 1 | 2, change: Change): Promise<string> {
  const payload = await signOffer(buyer, offer);
  return encodeHeader(change({ ...toEnvelope(version, offer, payload), payload }));
}

/** The request with the creator's session, from the site itself. */
export function asAda({ ada, app }: World, request: RawRequest): RawRequest {
  const content = request.body === undefined ? {} : { 'Content-Type': 'application/json' };
  return { ...request, headers: { Cookie: ada.cookie, Origin: app.url, ...content, ...request.headers } };
}
