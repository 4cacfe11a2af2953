import { createHash, randomBytes } from 'node:crypto';
import { Big } from 'big.js';
import { toCodePage, toConsentPage } from './consent-page.ts';
import { makeApiKey, type ApiKey } from './api-key.ts';
import type { Exchange } from './exchange.ts';
import { refuse } from './refusal.ts';
import { replyJson, replyRefusal, replyText, type Reply } from './reply.ts';
import type { Grant, State } from './state.ts';

const CODE_MS = 600_000;
const METHODS = new Set(['S256', 'plain']);
const AMOUNT = /^\d{1,6}(\.\d{1,6})?$/;

/**
 * `GET /auth`: the page on which a person grants a key; with `decision` what comes of it.
 * Without a callback the person copies the code. Whoever asks is the same rich account.
 */
export function answerConsent(state: State, { query }: Exchange): Reply {
  const callback = readCallback(query.get('callback_url'));
  const challenge = query.get('code_challenge');
  const method = query.get('code_challenge_method') ?? 'plain';
  const isHeadless = !query.has('callback_url') && challenge !== null;
  if ((callback === null && !isHeadless) || !METHODS.has(method)) {
    return replyText(
      'The callback_url must be https or on localhost, or left out beside a code_challenge; the method S256 or plain.',
      { status: 400 },
    );
  }
  const decision = query.get('decision');
  if (decision !== 'approve' && decision !== 'deny') {
    return replyPage(toConsentPage(query, callback?.origin ?? 'A program without a page of its own'));
  }
  const limit = query.get('limit') ?? '';
  const isGranted = decision === 'approve' && (limit === '' || AMOUNT.test(limit));
  const code = isGranted
    ? grant(state, {
        challenge,
        method,
        limit: limit === '' ? null : limit,
        limitReset: null,
        label: query.get('key_label'),
        expiresAt: null,
      })
    : null;
  if (callback === null) {
    return replyPage(toCodePage(code));
  }
  callback.searchParams.set(code === null ? 'error' : 'code', code ?? 'access_denied');
  return replyText('', { status: 302, headers: { location: callback.href } });
}

function replyPage(html: string): Reply {
  return replyText(html, { contentType: 'text/html; charset=utf-8' });
}

/** `POST /auth/keys`: a code and its verifier for a key that works from then on. */
export function answerCodeExchange(state: State, { body }: Exchange): Reply {
  const sent = toRecord(body);
  const method = sent['code_challenge_method'] ?? 'S256';
  if (typeof method !== 'string' || !METHODS.has(method)) {
    return replyRefusal(refuse(400, 'Invalid code_challenge_method'));
  }
  const code = toText(sent['code']) ?? '';
  const found = state.grants.get(code);
  const isOpen = found !== undefined && found.until > state.clock.now();
  if (!isOpen || !isVerified(found, { method, verifier: sent['code_verifier'] })) {
    return replyRefusal(refuse(403, 'Invalid code or code_verifier'));
  }
  state.grants.delete(code);
  const text = `sk-or-v1-${randomBytes(32).toString('hex')}`;
  const special = {
    label: found.label ?? `${text.slice(0, 12)}...${text.slice(-3)}`,
    limit: found.limit === null ? null : new Big(found.limit),
    limitReset: found.limitReset,
    expiresAt: found.expiresAt,
  };
  state.keys.set(text, {
    ...makeApiKey({ key: text, account: found.account, name: found.label ?? 'consent', now: state.clock.now() }),
    ...special,
  });
  return replyJson({ key: text, user_id: found.account.userId });
}

/** `POST /auth/keys/code`: the same code, made by a program that has a key. */
export function answerCodeRequest(state: State, { body, keyText }: Exchange): Reply {
  const key = state.keys.get(keyText ?? '');
  if (key === undefined) {
    return replyRefusal(refuse(401, 'Missing Authentication header'));
  }
  const sent = toRecord(body);
  const method = sent['code_challenge_method'] ?? 'S256';
  if (readCallback(toText(sent['callback_url'])) === null || typeof method !== 'string' || !METHODS.has(method)) {
    return replyRefusal(refuse(400, 'Invalid callback_url or code_challenge_method'));
  }
  const reset = ['daily', 'weekly', 'monthly'].find((period) => period === sent['usage_limit_type']);
  const limit = sent['limit'];
  const code = grant(
    state,
    {
      challenge: toText(sent['code_challenge']),
      method,
      limit: typeof limit === 'number' && limit >= 0 ? new Big(limit).toFixed() : null,
      limitReset: (reset ?? null) as Grant['limitReset'],
      label: toText(sent['key_label']),
      expiresAt: toText(sent['expires_at']),
    },
    key.account,
  );
  return replyJson({ data: { id: code, app_id: 1, created_at: new Date(state.clock.now()).toISOString() } });
}

function grant(state: State, given: Omit<Grant, 'account' | 'until'>, account = findRich(state)): string {
  const code = `auth_code_${randomBytes(16).toString('hex')}`;
  state.grants.set(code, { ...given, account, until: state.clock.now() + CODE_MS });
  return code;
}

function findRich(state: State): ApiKey['account'] {
  const key = [...state.keys.values()].find(({ isDisabled, isManagement }) => !isDisabled && !isManagement);
  if (!key) {
    throw new Error('A simulator without keys cannot grant any.');
  }
  return key.account;
}

function isVerified({ challenge, method }: Grant, given: { method: string; verifier: unknown }): boolean {
  if (challenge === null) {
    return true;
  }
  const verifier = typeof given.verifier === 'string' ? given.verifier : '';
  const made = method === 'S256' ? createHash('sha256').update(verifier).digest('base64url') : verifier;
  return given.method === method && made === challenge;
}

function readCallback(text: string | null): URL | null {
  const url = text !== null && URL.canParse(text) ? new URL(text) : null;
  const isLocal = url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  return url?.protocol === 'https:' || isLocal ? url : null;
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function toText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
