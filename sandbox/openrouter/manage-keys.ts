import { Big } from 'big.js';
import { z } from 'zod';
import { sha256Hex } from '#kit/index.ts';
import { authenticate } from './accounts.ts';
import { makeApiKey } from './api-key.ts';
import type { ApiKey } from './api-key.ts';
import { describeSpending } from './describe-key.ts';
import type { Exchange } from './exchange.ts';
import { isRefusal, refuse } from './refusal.ts';
import { replyJson, replyRefusal } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';

const PAGE = 100;
const WORKSPACE_ID = '00000000-0000-4000-8000-000000000001';

const settingsSchema = z.object({
  name: z.string().min(1).max(256).optional(),
  disabled: z.boolean().optional(),
  limit: z.number().nonnegative().nullish(),
  limit_reset: z.enum(['daily', 'weekly', 'monthly']).nullish(),
  include_byok_in_limit: z.boolean().optional(),
});

/** `expires_at` needs its seconds, as on the real one. */
const newKeySchema = settingsSchema.extend({
  name: z.string().min(1).max(256),
  expires_at: z.iso.datetime({ offset: true, precision: null }).nullish(),
  external: z.looseObject({ user: z.string() }).nullish(),
});

type Settings = z.infer<typeof settingsSchema>;

/** `GET /keys`: those of the account of a management key, newest first. */
export function answerKeyList(state: State, exchange: Exchange): Reply {
  return asManager(state, exchange, (manager, now) => {
    const showsDisabled = exchange.query.get('include_disabled') === 'true';
    const offset = Number(exchange.query.get('offset') ?? 0);
    if (!Number.isInteger(offset) || offset < 0) {
      return replyRefusal(refuse(400, 'offset must be a number from 0 on', { error_type: 'invalid_request' }));
    }
    const listed = keysOf(state, manager).filter((key) => showsDisabled || !key.isDisabled);
    return replyJson({ data: listed.slice(offset, offset + PAGE).map((key) => describe(key, now)) });
  });
}

/** `POST /keys`: the only answer that ever holds the key itself. */
export function answerNewKey(state: State, exchange: Exchange): Reply {
  return asManager(state, exchange, (manager, now) => {
    const parsed = newKeySchema.safeParse(exchange.body);
    if (!parsed.success) {
      return replyInvalid(parsed.error);
    }
    state.sequence += 1;
    const text = `sk-or-v1-${sha256Hex(`${state.seed} key ${state.sequence}`)}`;
    const key = makeApiKey({ key: text, account: manager.account, name: parsed.data.name, now });
    applySettings(key, parsed.data);
    key.expiresAt = parsed.data.expires_at ?? null;
    state.keys.set(text, key);
    const body = { data: describe(key, now), key: text };
    return { ...replyJson(body), status: 201 };
  });
}

/** `GET`, `PATCH` and `DELETE /keys/{hash}` */
export function answerOneKey(state: State, exchange: Exchange): Reply {
  return asManager(state, exchange, (manager, now) => {
    const hash = exchange.path.split('/').at(-1) ?? '';
    const key = keysOf(state, manager).find((candidate) => candidate.hash === hash);
    if (key === undefined) {
      return replyRefusal(refuse(404, 'API key not found', { error_type: 'not_found' }));
    }
    if (exchange.method === 'DELETE') {
      state.keys.delete(key.key);
      return replyJson({ deleted: true });
    }
    if (exchange.method === 'PATCH') {
      const parsed = settingsSchema.safeParse(exchange.body);
      if (!parsed.success) {
        return replyInvalid(parsed.error);
      }
      applySettings(key, parsed.data);
      key.updatedAt = new Date(now).toISOString();
    }
    return replyJson({ data: describe(key, now) });
  });
}

function asManager(state: State, exchange: Exchange, work: (manager: ApiKey, now: number) => Reply & object): Reply {
  const now = state.clock.now();
  const key = authenticate(state.keys, exchange.headers['authorization'], now);
  if (isRefusal(key)) {
    return replyRefusal(key);
  }
  return key.isManagement ? work(key, now) : replyRefusal(refuse(401, 'Invalid management key'));
}

function keysOf(state: State, manager: ApiKey): ApiKey[] {
  return [...state.keys.values()]
    .filter((key) => key.account === manager.account && !key.isManagement)
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt));
}

function applySettings(key: ApiKey, settings: Settings): void {
  key.name = settings.name ?? key.name;
  key.isDisabled = settings.disabled ?? key.isDisabled;
  key.limit = settings.limit === undefined ? key.limit : settings.limit === null ? null : new Big(settings.limit);
  key.limitReset = settings.limit_reset === undefined ? key.limitReset : settings.limit_reset;
  key.includesByokInLimit = settings.include_byok_in_limit ?? key.includesByokInLimit;
}

function describe(key: ApiKey, now: number): Record<string, unknown> {
  return {
    hash: key.hash,
    name: key.name,
    label: key.label,
    disabled: key.isDisabled,
    ...describeSpending(key, now),
    created_at: key.createdAt,
    updated_at: key.updatedAt,
    expires_at: key.expiresAt,
    creator_user_id: key.account.userId,
    external_user: null,
    workspace_id: WORKSPACE_ID,
  };
}

function replyInvalid(error: z.ZodError): Reply {
  const [issue] = error.issues;
  const message = `Invalid input: ${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not valid'}`;
  return replyRefusal(refuse(400, message, { error_type: 'invalid_request' }));
}
