-- Runs whose cost was not told with their answer and is asked for later. One row for each run that made a generation; rows stay a while
-- so that a run that is logged again is not asked for, and counted, twice.
CREATE TABLE usage_cost_lookups (
  call_id       uuid NOT NULL,
  generation_id text NOT NULL,
  owner_id      text NOT NULL,
  key_source    text,
  asked_since   timestamptz NOT NULL DEFAULT now(),
  tries         int NOT NULL DEFAULT 0,
  next_at       timestamptz NOT NULL DEFAULT now(),
  done_at       timestamptz,
  PRIMARY KEY (call_id, generation_id)
);
CREATE INDEX usage_cost_lookups_due ON usage_cost_lookups (next_at) WHERE done_at IS NULL;
CREATE INDEX usage_cost_lookups_done ON usage_cost_lookups (done_at) WHERE done_at IS NOT NULL;

ALTER TABLE usage_cost_lookups ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_cost_lookups FORCE ROW LEVEL SECURITY;
CREATE POLICY usage_cost_lookups_owner ON usage_cost_lookups FOR SELECT TO farebox_app USING (owner_id = app_user_id());
CREATE POLICY usage_cost_lookups_system ON usage_cost_lookups TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT ON usage_cost_lookups TO farebox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_cost_lookups TO farebox_system;

-- `asked`: the cost of a run is asked for; `found`: it was told later; `unknown`: nobody told it within a day. NULL: nothing was to be asked.
ALTER TABLE x402_prompt_template_usage_logs
  ADD COLUMN cost_state text CHECK (cost_state IN ('asked', 'found', 'unknown'));
GRANT UPDATE (cost_state) ON x402_prompt_template_usage_logs TO farebox_system;
CREATE POLICY usage_logs_repair ON x402_prompt_template_usage_logs
  FOR UPDATE TO farebox_system USING (cost_state IN ('asked', 'unknown')) WITH CHECK (true);

-- A run on the operator's key that has ended and whose cost nobody told yet: it is counted at its worst until that is known.
ALTER TABLE platform_key_runs ADD COLUMN is_cost_unknown boolean NOT NULL DEFAULT false;
