-- When paused resources and stored keys are looked at again, what failed runs have lost, and shares of the operator's key.
-- 0024 and 0026 were rewritten for a time after they had landed, and databases from then have all of this already.

-- calls.trust_usd is from now on what counts as lost or to be lost, in USD: what a run may cost its creator at most while it
-- is done on trust, what failed runs have cost, and what was not paid; null where nothing does.
DROP INDEX calls_lost_of_payer, calls_lost_of_owner;
CREATE INDEX calls_lost_of_payer ON calls (payer, state, updated_at) WHERE state IN ('unpaid', 'refused', 'failed');
CREATE INDEX calls_lost_of_owner ON calls (owner_id, updated_at)
  WHERE state NOT IN ('claimed', 'running', 'settling', 'pending') AND trust_usd IS NOT NULL;

DO $$
BEGIN
  IF to_regclass('platform_key_uses') IS NULL THEN
    RETURN;
  END IF;

  -- When it is asked next whether what is paused can run, and how often it was asked since something changed; null: not
  -- again by itself.
  ALTER TABLE x402_resources
    ADD COLUMN next_look_at timestamptz,
    ADD COLUMN looks integer NOT NULL DEFAULT 0 CHECK (looks >= 0);
  GRANT UPDATE (next_look_at, looks) ON x402_resources TO farebox_system;
  ALTER TABLE x402_resources NO FORCE ROW LEVEL SECURITY;
  UPDATE x402_resources SET next_look_at = now() WHERE state = 'paused' AND paused_by <> 'owner';
  ALTER TABLE x402_resources FORCE ROW LEVEL SECURITY;
  DROP INDEX x402_resources_waiting_idx;
  CREATE INDEX x402_resources_waiting_idx ON x402_resources (next_look_at) WHERE state = 'paused' AND paused_by <> 'owner';

  -- When the provider last said anything of the money behind a key; until now, when the key was last looked at.
  ALTER TABLE user_openrouter_integrations ALTER COLUMN last_credit_check DROP EXPRESSION;
  ALTER TABLE user_openrouter_integrations NO FORCE ROW LEVEL SECURITY;
  UPDATE user_openrouter_integrations SET last_credit_check = NULL WHERE credits_usd IS NULL;
  ALTER TABLE user_openrouter_integrations FORCE ROW LEVEL SECURITY;
  -- Moved by every look at the key, whatever came of it.
  ALTER TABLE user_openrouter_integrations ADD COLUMN next_check_at timestamptz NOT NULL DEFAULT now();
  ALTER TABLE user_openrouter_integrations ALTER COLUMN next_check_at DROP DEFAULT;
  DROP INDEX user_openrouter_integrations_checked_idx;
  CREATE INDEX user_openrouter_integrations_due_idx ON user_openrouter_integrations (next_check_at) WHERE is_enabled;

  -- What each creator spends of the operator's key in a day by UTC: what ended runs did cost, and what those that have not
  -- ended may cost at most. A run whose end nobody knows counts at its worst.
  CREATE TABLE platform_key_days (
    owner_id     text NOT NULL,
    day          date NOT NULL,
    spent_usd    numeric NOT NULL DEFAULT 0 CHECK (spent_usd >= 0),
    reserved_usd numeric NOT NULL DEFAULT 0 CHECK (reserved_usd >= 0),
    PRIMARY KEY (owner_id, day)
  );
  -- The part of reserved_usd that is held for each call that is about to run, and by each run which has not ended. What was
  -- lost with its process stays until the day is old.
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

  -- Which call a run of before was for, no row says.
  ALTER TABLE platform_key_uses NO FORCE ROW LEVEL SECURITY;
  INSERT INTO platform_key_days (owner_id, day, spent_usd, reserved_usd)
    SELECT owner_id, day, coalesce(sum(cost_usd), 0), coalesce(sum(reserved_usd) FILTER (WHERE cost_usd IS NULL), 0)
    FROM platform_key_uses GROUP BY owner_id, day;
  INSERT INTO platform_key_runs (id, call_id, owner_id, day, reserved_usd, has_begun)
    SELECT id, id, owner_id, day, reserved_usd, true FROM platform_key_uses WHERE cost_usd IS NULL;
  DROP TABLE platform_key_uses;

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
END
$$;
