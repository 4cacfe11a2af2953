-- The names of the original design, for SQL that was written for it: SET search_path = design, public (docs/names.md).
-- Views of what the tables hold; they run with the rights of whoever reads them, so that row-level security binds here too.
CREATE SCHEMA design;
GRANT USAGE ON SCHEMA design TO farebox_app, farebox_system;

-- Statistics hold no owner, and until now only the system read them. A creator may read those of their own resources.
ALTER TABLE usage_rollups ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_rollups FORCE ROW LEVEL SECURITY;
CREATE POLICY usage_rollups_owner ON usage_rollups FOR SELECT TO farebox_app
  USING (EXISTS (SELECT FROM x402_resources r WHERE r.id = resource_id AND r.owner_id = app_user_id()));
CREATE POLICY usage_rollups_system ON usage_rollups TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT ON usage_rollups TO farebox_app;

ALTER TABLE usage_pending ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_pending FORCE ROW LEVEL SECURITY;
CREATE POLICY usage_pending_owner ON usage_pending FOR SELECT TO farebox_app
  USING (EXISTS (SELECT FROM x402_resources r WHERE r.id = resource_id AND r.owner_id = app_user_id()));
CREATE POLICY usage_pending_system ON usage_pending TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT ON usage_pending TO farebox_app;

-- What is published, or else the draft. `…_30d`: today and the 29 days before it, in UTC, as the API counts them.
CREATE VIEW design.x402_resources WITH (security_invoker = true) AS
SELECT r.id, r.owner_id AS user_id, r.owner_id AS registered_by, r.kind AS resource_type, r.slug, r.state,
       r.state = 'published' AS is_active,
       coalesce(v.name, r.draft->>'name') AS name,
       coalesce(v.description, r.draft->>'description') AS description,
       coalesce(v.category, r.draft->>'category') AS category,
       v.version,
       v.offers #>> '{0,network}' AS network,
       v.offers #>> '{0,payTo}' AS pay_to,
       v.price_atomic::text AS max_amount_required,
       round(v.price_atomic / 1000000, 6) AS price_usdc,
       coalesce(v.parameters, r.draft->'parameters') AS pt_parameters,
       CASE r.kind WHEN 'openrouter_instant' THEN coalesce(v.config, r.draft->'config') END AS openrouter_config,
       v.ai_model_id,
       coalesce(s.call_count, 0) AS call_count,
       coalesce(s.success_count_30d, 0) AS success_count_30d,
       coalesce(s.failure_count_30d, 0) AS failure_count_30d,
       coalesce(s.total_earned_usdc, 0) AS total_earned_usdc,
       s.last_called_at, r.created_at, r.updated_at
FROM public.x402_resources r
LEFT JOIN public.x402_resource_versions v ON v.id = r.published_version_id
LEFT JOIN LATERAL (
  SELECT sum(c.success_count + c.failure_count)::bigint AS call_count,
         (sum(c.success_count) FILTER (WHERE c.day > (now() AT TIME ZONE 'UTC')::date - 30))::bigint AS success_count_30d,
         (sum(c.failure_count) FILTER (WHERE c.day > (now() AT TIME ZONE 'UTC')::date - 30))::bigint AS failure_count_30d,
         round(sum(c.earned_atomic) / 1000000, 6) AS total_earned_usdc,
         max(c.called_at) AS last_called_at
  FROM (
    SELECT day, success_count, failure_count, earned_atomic, last_called_at AS called_at
    FROM public.usage_rollups WHERE resource_id = r.id
    UNION ALL
    SELECT day, success_count, failure_count, earned_atomic, called_at
    FROM public.usage_pending WHERE resource_id = r.id
  ) c
) s ON true;

CREATE VIEW design.x402_prompt_template_usage_logs WITH (security_invoker = true) AS
SELECT call_id AS id, resource_id, resource_id AS template_id, owner_id AS user_id, caller_user_id AS caller_id, payer,
       status, cause AS error_message, input_tokens, output_tokens, latency_ms AS execution_time_ms,
       CASE WHEN transaction IS NULL THEN 0 ELSE round(amount_atomic / 1000000, 6) END AS amount_paid,
       transaction AS payment_signature, network, model, cost_usd, at AS created_at
FROM public.x402_prompt_template_usage_logs;

-- Never the key: it is sealed, and no role reads it in SQL.
CREATE VIEW design.user_openrouter_integrations WITH (security_invoker = true) AS
SELECT id, owner_id AS user_id, is_enabled, is_valid, last_checked_at AS last_verified_at,
       credits_usd, last_credit_check, created_at, updated_at
FROM public.user_openrouter_integrations;

CREATE VIEW design.x402_cached_images WITH (security_invoker = true) AS
SELECT id, owner_id AS user_id, call_id, content_type, bytes AS size_bytes, width, height, created_at, expires_at
FROM public.x402_cached_images;

CREATE VIEW design.ai_models WITH (security_invoker = true) AS
SELECT id, openrouter_id, display_name, description, provider, context_length,
       max_completion_tokens AS max_tokens,
       pricing->>'prompt' AS pricing_prompt, pricing->>'completion' AS pricing_completion,
       'image' = ANY (input_modalities) AS vision_supported,
       'tools' = ANY (supported_parameters) AS tool_calling_supported,
       'web_search_options' = ANY (supported_parameters) AS web_search_supported,
       is_active, last_synced_at
FROM public.ai_models;

GRANT SELECT ON ALL TABLES IN SCHEMA design TO farebox_app, farebox_system;
