import type { ProblemCode } from '#kit/index.ts';
import type { ChatFailure, FailureKind } from '#upstreams/index.ts';

interface FailureSigns {
  kinds?: readonly FailureKind[];
  statuses?: readonly number[];
  /** `errorType` of the failure, where what an upstream says has become one of our names (src/upstreams/chat-completions/known-errors.ts). */
  types?: readonly string[];
  /** `limitSource` of the failure. */
  limits?: readonly string[];
}

export interface FailureRule {
  /** Stands first in the cause that the creator reads. */
  code: string;
  when: FailureSigns;
  /** Other signs of the same. */
  or?: FailureSigns;
  /** What the buyer is told: neutral, and nothing about keys, credit or models. */
  problem: ProblemCode;
  /** What the creator is told. */
  text: string;
  /** Retry-After for the buyer where the upstream names none. */
  retryAfterSeconds?: number;
  /**
   * Stops selling: what needs the key, or this resource. `ask`: one call may be too dear for a key that is good for others, so
   * its provider is asked about the key first. `streak`: the resource, once it has hit several calls in a row of more than
   * one payer (src/execution/find-streak.ts).
   */
  pause?: 'key' | 'resource' | 'ask' | 'streak';
}

/**
 * How chat upstreams fail, as data: the first rule that fits decides, and all lists of `when`, or of `or`, must hold.
 * Only what a buyer's input cannot cause pauses anything: a 400 or 403 without a clear name never does.
 */
export const failureRules: readonly FailureRule[] = [
  {
    code: 'content_filtered',
    when: { kinds: ['filtered'] },
    problem: 'content_refused',
    text: 'A content filter or the model itself refused this input.',
  },
  {
    code: 'reasoning_starved',
    when: { kinds: ['starved'] },
    problem: 'upstream_failed',
    text: 'The model only reasoned and its answer never began, mostly because reasoning used up the token limit. Raise maxTokens or choose a model that reasons less. Providers charge you for such calls; buyers are not charged.',
  },
  {
    code: 'job_failed',
    when: { kinds: ['job_failed'] },
    problem: 'upstream_failed',
    text: 'The upstream took the job on and ended it without a result. It charges nothing for such jobs.',
  },
  {
    code: 'answer_cut_short',
    when: { kinds: ['cut_short'] },
    problem: 'upstream_failed',
    text: 'maxTokens cut the answer, and this resource does not sell cut answers (sellsTruncated). Raise maxTokens, or ask for less in the prompt.',
  },
  {
    code: 'empty_answer',
    when: { kinds: ['empty'] },
    problem: 'upstream_failed',
    text: 'The model finished without what it was asked for: text, picture or sound.',
  },
  {
    code: 'malformed_answer',
    when: { kinds: ['malformed'] },
    problem: 'upstream_failed',
    text: 'The upstream answered something that is not what was asked for.',
  },
  {
    code: 'truncated_answer',
    when: { kinds: ['truncated'] },
    problem: 'upstream_failed',
    text: 'The answer broke off before its end.',
  },
  {
    code: 'connection_failed',
    when: { kinds: ['connection'] },
    problem: 'upstream_failed',
    text: 'The upstream could not be reached, or the connection broke.',
  },
  {
    code: 'answer_too_large',
    when: { kinds: ['too_large'] },
    problem: 'upstream_failed',
    text: 'The answer was larger than 1 MB of text, 20 MB of images or 25 MB of sound.',
  },
  {
    code: 'answer_stalled',
    when: { kinds: ['idle'] },
    problem: 'upstream_timeout',
    text: 'The upstream sent nothing for too long.',
  },
  {
    code: 'deadline_passed',
    when: { kinds: ['deadline'] },
    problem: 'upstream_timeout',
    text: 'The answer took longer than the time limit of the resource. Raise the limit, lower maxTokens or choose a faster model.',
  },
  {
    code: 'caller_left',
    when: { kinds: ['aborted'] },
    problem: 'unavailable',
    text: 'The call was broken off before the answer was complete.',
  },

  {
    code: 'content_refused',
    when: { types: ['content_policy_violation', 'refusal', 'moderation'] },
    problem: 'content_refused',
    text: 'The provider refused this input for its content.',
  },
  {
    code: 'input_too_long',
    when: { types: ['context_length_exceeded', 'token_limit_exceeded', 'string_too_long'] },
    problem: 'unprocessable',
    text: 'Prompt, input and maxTokens together are more than the model can hold. Limit maxLength of the parameters, lower maxTokens, or choose a model with a larger context.',
  },
  {
    code: 'token_rate_too_low',
    when: { types: ['tokens_per_minute_exceeded'] },
    problem: 'upstream_failed',
    text: 'One call needs more tokens than your account may use in a minute. Lower maxTokens or the length of the input, or raise the limit of the account.',
  },
  {
    code: 'input_too_large',
    when: { types: ['payload_too_large'] },
    or: { statuses: [413] },
    problem: 'too_large',
    text: 'The request was too large for the upstream.',
  },
  {
    code: 'max_tokens_too_high',
    when: { types: ['max_tokens_exceeded'] },
    problem: 'upstream_failed',
    text: 'maxTokens is higher than the model allows. Lower it and publish anew.',
    pause: 'streak',
  },
  {
    code: 'model_gone',
    when: { types: ['model_deprecated', 'free_variant_ended', 'model_unavailable_upstream', 'model_not_found'] },
    problem: 'unavailable',
    text: 'The model is no longer offered. Choose another and publish anew.',
    pause: 'resource',
  },
  {
    code: 'setting_refused',
    when: { types: ['unsupported_parameter', 'unsupported_value'] },
    problem: 'upstream_failed',
    text: 'The model does not take one of the settings of the resource. Remove it and publish anew.',
    pause: 'streak',
  },

  {
    code: 'key_rejected',
    when: { types: ['invalid_api_key'] },
    or: { statuses: [401] },
    problem: 'unavailable',
    text: 'The upstream does not accept the API key: it is wrong, disabled, revoked or expired. Store a new one.',
    pause: 'key',
  },
  {
    code: 'key_limit_reached',
    when: { limits: ['openrouter_key_limit'] },
    problem: 'unavailable',
    text: 'The spending limit of the API key is used up. Raise it at https://openrouter.ai/settings/keys, wait for its reset, or store another key.',
    pause: 'ask',
  },
  {
    code: 'in_flight_budget',
    when: { types: ['in_flight_budget_exhausted'] },
    or: { limits: ['openrouter_in_flight_budget'] },
    problem: 'unavailable',
    text: 'A low balance limits how many calls may run at once. Top up to lift it.',
    retryAfterSeconds: 5,
  },
  {
    code: 'balance_too_low',
    when: { types: ['weight_exceeds_budget'] },
    or: { limits: ['openrouter_affordability'] },
    problem: 'unavailable',
    text: 'The balance does not cover one call with this maxTokens. Top up, or lower maxTokens and publish anew.',
    pause: 'ask',
  },
  {
    code: 'budget_reached',
    when: { limits: ['openrouter_guardrail_budget', 'openrouter_workspace_budget'] },
    problem: 'unavailable',
    text: 'A budget of your OpenRouter account is used up. Raise it, or wait for its reset.',
    pause: 'streak',
  },
  {
    code: 'out_of_credits',
    when: { types: ['insufficient_quota'] },
    or: { statuses: [402] },
    problem: 'unavailable',
    text: 'The account behind the API key has no credits left. Add some where the key comes from (https://openrouter.ai/settings/credits), or store the key of another account.',
    pause: 'key',
  },

  {
    code: 'free_model_daily_limit',
    when: { limits: ['openrouter_free_tier_daily'] },
    problem: 'unavailable',
    text: 'The daily limit of free models is reached. Choose the paid variant of the model.',
    retryAfterSeconds: 3_600,
  },
  {
    code: 'free_model_minute_limit',
    when: { limits: ['openrouter_free_tier_minute'] },
    problem: 'unavailable',
    text: 'The limit of free models per minute is reached. Choose the paid variant of the model.',
    retryAfterSeconds: 60,
  },
  {
    code: 'rate_limited',
    when: { statuses: [429] },
    problem: 'unavailable',
    text: 'The provider limits the rate of calls. Add fallback models, or bring your own provider key.',
    retryAfterSeconds: 5,
  },

  {
    code: 'not_permitted',
    when: { statuses: [403] },
    problem: 'unavailable',
    text: 'The upstream does not permit this call: a region, a guardrail or an account setting stands against it.',
    pause: 'streak',
  },
  {
    code: 'no_endpoint',
    when: { statuses: [404] },
    problem: 'upstream_failed',
    text: 'No provider of the model fits the request and your account settings.',
    pause: 'streak',
  },
  {
    code: 'provider_timeout',
    when: { statuses: [408, 504, 524] },
    problem: 'upstream_timeout',
    text: 'The provider did not answer in time.',
  },
  {
    code: 'provider_overloaded',
    when: { statuses: [503, 529] },
    problem: 'unavailable',
    text: 'The provider is overloaded. Add fallback models.',
    retryAfterSeconds: 10,
  },
  {
    code: 'provider_failed',
    when: { statuses: [500, 502, 520, 521, 522, 523] },
    problem: 'upstream_failed',
    text: 'The provider failed.',
  },
  {
    code: 'request_refused',
    when: { statuses: [400, 405, 409, 412, 415, 422] },
    problem: 'upstream_failed',
    text: 'The upstream refused the request. Check the settings of the resource.',
  },
  {
    code: 'answer_failed',
    when: { kinds: ['error_event'] },
    problem: 'upstream_failed',
    text: 'The upstream reported an error in the middle of its answer.',
  },
];

export const unknownFailure: FailureRule = {
  code: 'upstream_error',
  when: {},
  problem: 'upstream_failed',
  text: 'The upstream failed in a way that is not known here.',
};

export function fits({ when, or }: FailureRule, failure: ChatFailure): boolean {
  return shows(when, failure) || (or !== undefined && shows(or, failure));
}

function shows({ kinds, statuses, types, limits }: FailureSigns, failure: ChatFailure): boolean {
  return (
    (kinds === undefined || kinds.includes(failure.kind)) &&
    (statuses === undefined || (failure.status !== null && statuses.includes(failure.status))) &&
    (types === undefined || (failure.errorType !== null && types.includes(failure.errorType))) &&
    (limits === undefined || (failure.limitSource !== null && limits.includes(failure.limitSource)))
  );
}
