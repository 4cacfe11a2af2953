import { expect, test } from 'vitest';
import type { ChatFailure } from '#upstreams/index.ts';
import { classifyFailure } from './classify-failure.ts';
import { failureRules } from './failure-rules.ts';
import { tellingNames } from '#upstreams/chat-completions/known-errors.ts';

function failure(more: Partial<ChatFailure>): ChatFailure {
  const nothing = { status: null, message: '', errorType: null, limitSource: null, retryAfterSeconds: null };
  return { kind: 'http_error', ...nothing, ...more };
}

test.each<[Partial<ChatFailure>, object]>([
  [{ status: 400 }, { code: 'request_refused', problem: 'upstream_failed', pause: null }],
  [
    { status: 400, errorType: 'context_length_exceeded' },
    { code: 'input_too_long', problem: 'unprocessable' },
  ],
  [
    { status: 400, errorType: 'max_tokens_exceeded' },
    { code: 'max_tokens_too_high', problem: 'upstream_failed' },
  ],
  [
    { status: 400, errorType: 'model_not_found' },
    { code: 'model_gone', problem: 'unavailable', pause: 'resource' },
  ],
  [
    { status: 400, errorType: 'content_policy_violation' },
    { code: 'content_refused', problem: 'content_refused' },
  ],
  [{ status: 401 }, { code: 'key_rejected', problem: 'unavailable', pause: 'key' }],
  [{ status: 402 }, { code: 'out_of_credits', problem: 'unavailable', pause: 'key' }],
  [
    { status: 402, limitSource: 'openrouter_credits' },
    { code: 'out_of_credits', pause: 'key' },
  ],
  [
    { status: 402, limitSource: 'openrouter_affordability' },
    { code: 'balance_too_low', pause: 'ask' },
  ],
  [
    { status: 402, errorType: 'weight_exceeds_budget' },
    { code: 'balance_too_low', pause: 'ask' },
  ],
  [
    { status: 402, limitSource: 'openrouter_key_limit', retryAfterSeconds: 90 },
    { code: 'key_limit_reached', retryAfterSeconds: 90, pause: 'ask' },
  ],
  [
    { status: 402, errorType: 'in_flight_budget_exhausted' },
    { code: 'in_flight_budget', retryAfterSeconds: 5, pause: null },
  ],
  [{ status: 403 }, { code: 'not_permitted', problem: 'unavailable', pause: 'streak' }],
  [
    { status: 403, errorType: 'moderation' },
    { code: 'content_refused', problem: 'content_refused', pause: null },
  ],
  [{ status: 403, limitSource: 'openrouter_key_limit' }, { code: 'key_limit_reached' }],
  [{ status: 403, limitSource: 'openrouter_guardrail_budget' }, { code: 'budget_reached' }],
  [{ status: 404 }, { code: 'no_endpoint', problem: 'upstream_failed', pause: 'streak' }],
  [
    { status: 404, errorType: 'model_deprecated' },
    { code: 'model_gone', pause: 'resource' },
  ],
  [{ status: 408 }, { code: 'provider_timeout', problem: 'upstream_timeout' }],
  [{ status: 413 }, { code: 'input_too_large', problem: 'too_large' }],
  [{ status: 422 }, { code: 'request_refused' }],
  [{ status: 429 }, { code: 'rate_limited', problem: 'unavailable', retryAfterSeconds: 5 }],
  [
    { status: 429, retryAfterSeconds: 42 },
    { code: 'rate_limited', retryAfterSeconds: 42 },
  ],
  [
    { status: 429, limitSource: 'openrouter_free_tier_daily' },
    { code: 'free_model_daily_limit', retryAfterSeconds: 3_600 },
  ],
  [{ status: 500 }, { code: 'provider_failed', problem: 'upstream_failed', retryAfterSeconds: null }],
  [{ status: 503 }, { code: 'provider_overloaded', problem: 'unavailable', retryAfterSeconds: 10 }],
  [{ status: 524 }, { code: 'provider_timeout' }],
  [{ status: 302 }, { code: 'upstream_error', problem: 'upstream_failed' }],
  [{ kind: 'error_event' }, { code: 'answer_failed', problem: 'upstream_failed' }],
  [{ kind: 'error_event', status: 429 }, { code: 'rate_limited' }],
  [{ kind: 'idle' }, { code: 'answer_stalled', problem: 'upstream_timeout' }],
  [{ kind: 'deadline' }, { code: 'deadline_passed', problem: 'upstream_timeout' }],
  [{ kind: 'starved' }, { code: 'reasoning_starved', problem: 'upstream_failed' }],
  [{ kind: 'filtered' }, { code: 'content_filtered', problem: 'content_refused' }],
])('%o', (given, expected) => {
  expect(classifyFailure(failure(given))).toMatchObject(expected);
});

test('the cause starts with its code and ends with what the upstream said', () => {
  const { cause } = classifyFailure(failure({ status: 404, message: 'No endpoints found that support image input' }));
  expect(cause).toBe(
    'no_endpoint: No provider of the model fits the request and your account settings. (status 404) The upstream says: "No endpoints found that support image input"',
  );
});

test('every name that a rule waits for is one that the client keeps', () => {
  const awaited = failureRules.flatMap(({ when, or }) => [...(when.types ?? []), ...(or?.types ?? [])]);
  expect(awaited.filter((name) => !tellingNames.has(name))).toEqual([]);
});

test('every rule can be reached: none stands behind one that takes all of its cases', () => {
  const signs = failureRules.flatMap(({ code, when, or }) =>
    [when, ...(or ? [or] : [])].map((given) => ({ code, given })),
  );
  const reached = signs.map(({ given: when }) =>
    classifyFailure(
      failure({
        kind: when.kinds?.[0] ?? 'http_error',
        status: when.statuses?.[0] ?? null,
        errorType: when.types?.[0] ?? null,
        limitSource: when.limits?.[0] ?? null,
      }),
    ),
  );
  expect(reached.map(({ code }) => code)).toEqual(signs.map(({ code }) => code));
});
