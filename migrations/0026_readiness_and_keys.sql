-- By whom a resource is paused. `key`: its owner's key is missing. `readiness`: something else that running needs is (its model
-- is gone, say). `fault`: a call found it. These three end by themselves when the cause is gone; `owner` never does.
ALTER TABLE x402_resources
  DROP CONSTRAINT x402_resources_paused_by_check,
  ADD CONSTRAINT x402_resources_paused_by_check CHECK (paused_by IN ('owner', 'key', 'readiness', 'fault'));
CREATE INDEX x402_resources_waiting_idx ON x402_resources (id) WHERE state = 'paused' AND paused_by <> 'owner';

-- Until now what a call had found was noted as the owner's own pause, with another cause than that one has.
ALTER TABLE x402_resources NO FORCE ROW LEVEL SECURITY;
UPDATE x402_resources SET paused_by = 'fault'
  WHERE paused_by = 'owner' AND pause_cause IS DISTINCT FROM 'Paused by its creator.';
ALTER TABLE x402_resources FORCE ROW LEVEL SECURITY;

-- What the provider last said of the money behind a key; null where it does not say.
ALTER TABLE user_openrouter_integrations
  ADD COLUMN credits_usd numeric GENERATED ALWAYS AS ((snapshot->>'creditsUsd')::numeric) STORED,
  ADD COLUMN last_credit_check timestamptz GENERATED ALWAYS AS (last_checked_at) STORED,
  -- When a call met a refusal of this key; null when a check found it, or nothing did.
  ADD COLUMN refused_at timestamptz;
CREATE INDEX user_openrouter_integrations_checked_idx ON user_openrouter_integrations (last_checked_at) WHERE is_enabled;

-- Whose key a run was paid with; null where no key was used, or before this was recorded.
ALTER TABLE x402_prompt_template_usage_logs ADD COLUMN key_source text CHECK (key_source IN ('own', 'platform'));
GRANT UPDATE (key_source) ON x402_prompt_template_usage_logs TO farebox_system;

-- Runs on the operator's key: what each may cost at most while it runs, and what it did cost. A run whose end is not known
-- counts at its worst until the day is over.
CREATE TABLE platform_key_uses (
  id           uuid PRIMARY KEY,
  owner_id     text NOT NULL,
  day          date NOT NULL,
  reserved_usd numeric NOT NULL CHECK (reserved_usd >= 0),
  cost_usd     numeric CHECK (cost_usd >= 0)
);
CREATE INDEX platform_key_uses_owner ON platform_key_uses (owner_id, day);

ALTER TABLE platform_key_uses ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_key_uses FORCE ROW LEVEL SECURITY;
CREATE POLICY platform_key_uses_owner ON platform_key_uses FOR SELECT TO farebox_app USING (owner_id = app_user_id());
CREATE POLICY platform_key_uses_system ON platform_key_uses TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT ON platform_key_uses TO farebox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON platform_key_uses TO farebox_system;
