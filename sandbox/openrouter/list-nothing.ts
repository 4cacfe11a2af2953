import { authenticate } from './accounts.ts';
import type { Exchange } from './exchange.ts';
import { isRefusal } from './refusal.ts';
import { replyJson, replyRefusal } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';

/** Lists that stay empty here, so that clients that look for them find none instead of an error. */
export const emptyLists: readonly RegExp[] = [
  /^\/byok$/,
  /^\/guardrails(\/assignments\/(keys|members))?$/,
  /^\/observability\/destinations$/,
  /^\/organization\/members$/,
  /^\/presets$/,
  /^\/workspaces$/,
];

export function answerEmptyList(state: State, { headers }: Exchange): Reply {
  return ifKnown(state, headers, { data: [], total_count: 0 });
}

/** `GET /activity` has no count. */
export function answerActivity(state: State, { headers }: Exchange): Reply {
  return ifKnown(state, headers, { data: [] });
}

/** `GET /files` */
export function answerFiles(state: State, { headers }: Exchange): Reply {
  const body = { _shape: 'openrouter', data: [], has_more: false, first_id: null, last_id: null, cursor: null };
  return ifKnown(state, headers, body);
}

function ifKnown(state: State, headers: Record<string, string>, body: unknown): Reply {
  const key = authenticate(state.keys, headers['authorization'], state.clock.now());
  return isRefusal(key) ? replyRefusal(key) : replyJson(body);
}
