import { refuseFreeCall } from './accounts.ts';
import { refuse, withAvailability, withHeaders } from './refusal.ts';
import type { Refusal } from './refusal.ts';

const CREDITS = 'https://openrouter.ai/settings/credits';
const KEYS = 'https://openrouter.ai/settings/keys';
const FAR_RESET_MS = Date.UTC(2030, 0, 1);
const providerError = 'Provider returned error';

const invalid = (message: string, errorType: string): Refusal => refuse(400, message, { error_type: errorType });
const missing = (message: string, failedStep: string): Refusal =>
  refuse(404, message, { error_type: 'not_found', failed_routing_step: failedStep });
const upstream = (status: number, message: string, errorType: string): Refusal =>
  refuse(status, message, { error_type: errorType, provider_name: 'Simulated' });

function unavailable(code: string, message: string): Refusal {
  return withAvailability(refuse(404, message, { error_type: 'not_found' }), {
    code,
    retryable: false,
    requested_models: ['sim/retired'],
    fallback_models: ['openai/gpt-4.1-mini'],
    docs_url: 'https://openrouter.ai/docs/guides/overview/models',
  });
}

/** Error answers by the name of their fault. Messages keep the patterns that clients match. */
export const refusalFaults: Readonly<Record<string, Refusal>> = {
  '400_invalid': invalid('Invalid input: temperature: Too big: expected number to be <=2', 'invalid_request'),
  '400_context_length': invalid(
    "This endpoint's maximum context length is 8192 tokens. However, you requested about 20000 tokens (19000 of text input, 1000 in the output). Please reduce the length of either one.",
    'context_length_exceeded',
  ),
  '400_max_tokens': invalid('max_tokens is larger than this model can write', 'max_tokens_exceeded'),
  '400_model_not_found': invalid('sim/unknown is not a valid model ID', 'invalid_request'),
  '400_content_policy': invalid(
    'The prompt was refused by the content policy of the provider',
    'content_policy_violation',
  ),
  '400_image_invalid': invalid('The image could not be read', 'invalid_image'),
  '401_missing': refuse(401, 'Missing Authentication header'),
  '401_user_not_found': refuse(401, 'User not found.'),
  '402_credits': refuse(402, `Insufficient credits. Add more using ${CREDITS}`, { limit_source: 'openrouter_credits' }),
  '402_never_purchased': refuse(
    402,
    `Insufficient credits. This account never purchased credits. Make sure your key is on the correct account or org, and if so, purchase more at ${CREDITS}`,
    { limit_source: 'openrouter_credits' },
  ),
  '402_afford': refuse(
    402,
    `This request requires more credits, or fewer max_tokens. You requested up to 4096 tokens, but can only afford 123. To increase, visit ${CREDITS} and add more credits`,
    { limit_source: 'openrouter_credits' },
  ),
  '402_prompt_limit': refuse(
    402,
    `Prompt tokens limit exceeded: 9000 > 1200. To increase, visit ${CREDITS} and upgrade to a paid account`,
    { limit_source: 'openrouter_credits' },
  ),
  '402_key_limit': refuse(402, `Key limit exceeded (monthly limit). Manage it using ${KEYS}`, {
    limit_source: 'openrouter_key_limit',
  }),
  '402_in_flight': withHeaders(
    refuse(402, 'Your running requests already reserve the remaining credits of this account.', {
      reason: 'in_flight_budget_exhausted',
      limit_source: 'openrouter_in_flight_budget',
      remedy_hint: 'Wait for running requests to finish, or add credits.',
    }),
    { 'retry-after': '2' },
  ),
  '402_weight': refuse(402, 'This request alone is larger than the budget of this account.', {
    reason: 'weight_exceeds_budget',
    limit_source: 'openrouter_credits',
  }),
  '403_moderation': refuse(403, 'Your chosen model requires moderation and your input was flagged', {
    reasons: ['violence'],
    flagged_input: 'the flagged part of the input',
    provider_name: 'Simulated',
    model_slug: 'sim/moderated',
  }),
  '403_guardrail': refuse(403, 'The request was blocked by a guardrail', { patterns: ['email'] }),
  '403_budget': refuse(403, 'Guardrail budget exceeded', {
    limit_source: 'openrouter_guardrail_budget',
    scope: 'guardrail',
    limit_usd: 5,
    spend_usd: 5.01,
    resets_at: '2030-01-01T00:00:00.000Z',
  }),
  '403_key_limit_legacy': refuse(403, `Key limit exceeded (total limit). Manage it using ${KEYS}`),
  '403_region': refuse(403, 'This model is not available in your region', { error_type: 'permission_denied' }),
  '403_attestation': refuse(403, 'This model requires an attestation', { missing_attestation_types: ['age'] }),
  '404_tools': missing(
    'No endpoints found that support tool use. Try disabling tools.',
    'Filter by Tool Compatibility',
  ),
  '404_image_input': missing('No endpoints found that support image input', 'Filter by Parameters'),
  '404_modalities': missing(
    'No endpoints found that support the requested output modalities: image, text',
    'Filter by Model Output Modalities',
  ),
  '404_max_price': missing('No endpoints found that satisfy the max price for this request.', 'Filter by Max Price'),
  '404_data_policy': missing(
    'No endpoints found matching your data policy. Configure: https://openrouter.ai/settings/privacy',
    'Filter by Guardrails',
  ),
  '404_deprecated': unavailable('model_deprecated', 'sim/retired has been deprecated and is no longer available.'),
  '404_free_ended': unavailable('free_variant_ended', 'The free period of this model has ended.'),
  '408': upstream(408, 'The request timed out', 'timeout'),
  '409': refuse(409, 'Conflict'),
  '412': refuse(412, 'Precondition failed', { error_type: 'precondition_failed' }),
  '413': refuse(413, 'The request is too large', { error_type: 'payload_too_large' }),
  '422': refuse(422, 'The request was understood but cannot be processed', { error_type: 'unprocessable' }),
  '429_upstream': withHeaders(
    refuse(429, providerError, {
      raw: 'The model is temporarily rate-limited upstream. Please retry shortly, or add your own key.',
      provider_name: 'Simulated',
      limit_source: 'upstream_provider_shared_pool',
    }),
    { 'retry-after': '3' },
  ),
  '429_free_minute': refuseFreeCall('free-models-per-min', 20, FAR_RESET_MS),
  '429_free_day': refuseFreeCall('free-models-per-day', 50, FAR_RESET_MS),
  '429_shared': refuse(429, 'Shared capacity is exhausted', { limit_source: 'openrouter_shared_capacity' }),
  '500': refuse(500, 'Internal Server Error', { error_type: 'server' }),
  '502': upstream(502, providerError, 'provider_unavailable'),
  '503': upstream(503, 'No available model provider meets your routing requirements', 'provider_overloaded'),
  '503_retry_after': withHeaders(refuse(503, 'Temporarily unavailable', { error_type: 'provider_overloaded' }), {
    'retry-after': '2',
  }),
  '503_availability': {
    status: 503,
    error: {
      message: 'The model is temporarily unavailable.',
      error_type: 'provider_overloaded',
      http_status: 503,
      availability: {
        code: 'temporarily_unavailable',
        retryable: true,
        retry_after: 2,
        requested_models: ['sim/503_availability'],
        docs_url: 'https://openrouter.ai/docs/guides/routing/provider-selection',
      },
    },
    headers: { 'retry-after': '2' },
  },
  '504': upstream(504, 'The provider did not answer in time', 'timeout'),
  '524': upstream(524, 'A timeout occurred at the edge', 'timeout'),
  '529': upstream(529, 'Provider is overloaded', 'provider_overloaded'),
};
