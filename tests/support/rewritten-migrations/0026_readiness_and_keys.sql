-- By whom a resource is paused. `key`: its owner's key is missing. `readiness`: something else that running needs is (its model
-- is gone, say). `fault`: a call found it. These three end by themselves when the cause is gone; `owner` never does.
ALTER TABLE x402_resources
  DROP CONSTRAINT x402_resources_paused_by_check,
  ADD CONSTRAINT x402_resources_paused_by_check CHECK (paused_by IN ('owner', 'key', 'readiness', 'fault'));

-- Until now what a call had found was noted as the owner's own pause, with another cause than that one has.
ALTER TABLE x402_resources NO FORCE ROW LEVEL SECURITY;
UPDATE x402_resources SET paused_by = 'fault'
  WHERE paused_by = 'owner' AND pause_cause IS DISTINCT FROM 'Paused by its creator.';

-- When it is asked next whether what is paused can run, and how often it was asked since something changed; null: not again
-- by itself.
ALTER TABLE x402_resources
  ADD COLUMN next_look_at timestamptz,
  ADD COLUMN looks integer NOT NULL DEFAULT 0 CHECK (looks >= 0);
GRANT UPDATE (next_look_at, looks) ON x402_resources TO farebox_system;
ALTER TABLE x402_resources NO FORCE ROW LEVEL SECURITY;
UPDATE x402_resources SET next_look_at = now() WHERE state = 'paused' AND paused_by <> 'owner';
ALTER TABLE x402_resources FORCE ROW LEVEL SECURITY;
CREATE INDEX x402_resources_waiting_idx ON x402_resources (next_look_at) WHERE state = 'paused' AND paused_by <> 'owner';
ALTER TABLE x402_resources FORCE ROW LEVEL SECURITY;

-- What the provider last said of the money behind a key, and when it last said anything of it; null where it does not say.
ALTER TABLE user_openrouter_integrations
  ADD COLUMN credits_usd numeric GENERATED ALWAYS AS ((snapshot->>'creditsUsd')::numeric) STORED,
  ADD COLUMN last_credit_check timestamptz,
  -- When a call met a refusal of this key; null when a check found it, or nothing did.
  ADD COLUMN refused_at timestamptz,
  -- Moved by every look at the key, whatever came of it.
  ADD COLUMN next_check_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE user_openrouter_integrations ALTER COLUMN next_check_at DROP DEFAULT;
CREATE INDEX user_openrouter_integrations_due_idx ON user_openrouter_integrations (next_check_at) WHERE is_enabled;

-- Whose key a run was paid with; null where no key was used, or before this was recorded.
ALTER TABLE x402_prompt_template_usage_logs ADD COLUMN key_source text CHECK (key_source IN ('own', 'platform'));
GRANT UPDATE (key_source) ON x402_prompt_template_usage_logs TO farebox_system;

-- What each creator spends of the operator's key in a day by UTC: what ended runs did cost, and what those that have not
-- ended may cost at most. A run whose end nobody knows counts at its worst.
CREATE TABLE platform_key_days (
  owner_id     text NOT NULL,
  day          date NOT NULL,
  spent_usd    numeric NOT NULL DEFAULT 0 CHECK (spent_usd >= 0),
  reserved_usd numeric NOT NULL DEFAULT 0 CHECK (reserved_usd >= 0),
  PRIMARY KEY (owner_id, day)
);
-- The part of reserved_usd that is held for each call that is about to run, and by each run which has not ended. What was lost with its process stays until the day is old.
CREATE TABLE platform_key_runs (
  id           uuid PRIMARY KEY,
  call_id      uuid NOT NULL,
  owner_id     text NOT NULL,
  day          date NOT NULL,
  reserved_usd numeric NOT NULL CHECK (reserved_usd >= 0),
  has_begun    boolean NOT NULL
);
CREATE INDEX platform_key_runs_call_idx ON platform_key_runs (call_id);
-- What stands against a key of the operator, for all processes and the next start.
CREATE TABLE platform_key_outages (
  key_hash text PRIMARY KEY,
  problem  text NOT NULL,
  until    timestamptz NOT NULL,
  found_by text NOT NULL CHECK (found_by IN ('call', 'check'))
);

ALTER TABLE platform_key_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_key_days FORCE ROW LEVEL SECURITY;
CREATE POLICY platform_key_days_owner ON platform_key_days FOR SELECT TO farebox_app USING (owner_id = app_user_id());
CREATE POLICY platform_key_days_system ON platform_key_days TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT ON platform_key_days TO farebox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON platform_key_days TO farebox_system;

ALTER TABLE platform_key_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_key_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY platform_key_runs_system ON platform_key_runs TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON platform_key_runs TO farebox_system;

ALTER TABLE platform_key_outages ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_key_outages FORCE ROW LEVEL SECURITY;
CREATE POLICY platform_key_outages_system ON platform_key_outages TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON platform_key_outages TO farebox_system;
