-- What creators' dashboards are read from: sums per hour, latencies per hour and day as counts of buckets, payers and
-- problems per day. Rows of the resource 00000000-0000-0000-0000-000000000000 stand for all resources of the owner. The log alone decides them: a trigger notes each row that comes or changes, the rollup adds it up.

-- Bucket 0: under a millisecond. Bucket n: above 1.1^(n-2) and up to 1.1^(n-1) milliseconds, so a value is known to 5 %.
CREATE FUNCTION latency_bucket(ms bigint) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN ms < 1 THEN 0 ELSE least(ceil(ln(ms::float8) / ln(1.1::float8) - 1e-9) + 1, 400)::integer END
$$;

-- A row of the log as it counts: +1 when it came, -1 and +1 when it changed. Removed by the statement that adds it up.
CREATE TABLE usage_changes (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sign            integer NOT NULL,
  owner_id        text NOT NULL,
  resource_id     uuid NOT NULL,
  version         integer NOT NULL,
  model           text NOT NULL,
  payer           text,
  at              timestamptz(3) NOT NULL,
  status          text NOT NULL,
  problem         text,
  earned_atomic   numeric(38, 0) NOT NULL,
  own_cost_usd    numeric NOT NULL,
  platform_cost_usd numeric NOT NULL,
  is_cost_unknown boolean NOT NULL,
  input_tokens    bigint NOT NULL,
  output_tokens   bigint NOT NULL,
  latency_ms      bigint,
  first_output_ms bigint
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX usage_changes_owner ON usage_changes (owner_id);

CREATE TABLE usage_hours (
  owner_id          text NOT NULL,
  hour              timestamptz(0) NOT NULL,
  resource_id       uuid NOT NULL,
  version           integer NOT NULL,
  -- '' where the kind tells none.
  model             text NOT NULL,
  successes         bigint NOT NULL,
  failures          bigint NOT NULL,
  unpaid            bigint NOT NULL,
  refused           bigint NOT NULL,
  owed              bigint NOT NULL,
  earned_atomic     numeric(38, 0) NOT NULL,
  own_cost_usd      numeric NOT NULL,
  platform_cost_usd numeric NOT NULL,
  unknown_costs     bigint NOT NULL,
  input_tokens      numeric NOT NULL,
  output_tokens     numeric NOT NULL,
  PRIMARY KEY (owner_id, resource_id, hour, version, model)
);

CREATE TABLE usage_hour_latencies (
  owner_id     text NOT NULL,
  resource_id  uuid NOT NULL,
  hour         timestamptz(0) NOT NULL,
  bucket       integer NOT NULL,
  -- Of whole answers, and of first outputs.
  answers      bigint NOT NULL,
  first_outputs bigint NOT NULL,
  PRIMARY KEY (owner_id, resource_id, hour, bucket)
);

CREATE TABLE usage_day_latencies (
  owner_id     text NOT NULL,
  day          date NOT NULL,
  resource_id  uuid NOT NULL,
  version      integer NOT NULL,
  model        text NOT NULL,
  bucket       integer NOT NULL,
  answers      bigint NOT NULL,
  first_outputs bigint NOT NULL,
  PRIMARY KEY (owner_id, day, resource_id, version, model, bucket)
);

CREATE TABLE usage_payers (
  owner_id       text NOT NULL,
  day            date NOT NULL,
  payer          text NOT NULL,
  resource_id    uuid NOT NULL,
  successes      bigint NOT NULL,
  failures       bigint NOT NULL,
  unpaid         bigint NOT NULL,
  refused        bigint NOT NULL,
  owed           bigint NOT NULL,
  earned_atomic  numeric(38, 0) NOT NULL,
  own_cost_usd   numeric NOT NULL,
  platform_cost_usd numeric NOT NULL,
  unknown_costs  bigint NOT NULL,
  input_tokens   numeric NOT NULL,
  output_tokens  numeric NOT NULL,
  last_called_at timestamptz(3) NOT NULL,
  PRIMARY KEY (owner_id, resource_id, day, payer)
);

-- To count wallets that have paid.
CREATE INDEX usage_payers_paid ON usage_payers (owner_id, resource_id, day, payer) WHERE earned_atomic > 0;

CREATE TABLE usage_problems (
  owner_id    text NOT NULL,
  day         date NOT NULL,
  resource_id uuid NOT NULL,
  problem     text NOT NULL,
  calls       bigint NOT NULL,
  PRIMARY KEY (owner_id, day, resource_id, problem)
);

DO $$
DECLARE
  counted text;
BEGIN
  FOREACH counted IN ARRAY ARRAY['usage_changes', 'usage_hours', 'usage_hour_latencies',
    'usage_day_latencies', 'usage_payers', 'usage_problems'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', counted);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', counted);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO farebox_app USING (owner_id = app_user_id())',
      counted || '_owner', counted);
    EXECUTE format('CREATE POLICY %I ON %I TO farebox_system USING (true) WITH CHECK (true)', counted || '_system', counted);
    EXECUTE format('GRANT SELECT ON %I TO farebox_app', counted);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO farebox_system', counted);
  END LOOP;
END
$$;

-- With the hour and the day, in UTC, that each belongs to.
CREATE VIEW usage_waiting WITH (security_invoker = true) AS
SELECT *, date_trunc('hour', at, 'UTC') AS hour, (at AT TIME ZONE 'UTC')::date AS day FROM usage_changes;
GRANT SELECT ON usage_waiting TO farebox_app, farebox_system;

-- Tests and the owner's own calls count nowhere.
CREATE FUNCTION to_usage_change(logged x402_prompt_template_usage_logs, sign integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO usage_changes (sign, owner_id, resource_id, version, model, payer, at, status, problem, earned_atomic,
    own_cost_usd, platform_cost_usd, is_cost_unknown, input_tokens, output_tokens, latency_ms, first_output_ms)
  SELECT sign, logged.owner_id, logged.resource_id, logged.version, coalesce(logged.model, ''), logged.payer, logged.at,
    logged.status, CASE WHEN logged.status <> 'success' THEN logged.problem END,
    CASE WHEN logged.transaction IS NULL THEN 0 ELSE logged.amount_atomic END,
    CASE WHEN logged.key_source = 'platform' THEN 0 ELSE coalesce(logged.cost_usd, 0) END,
    CASE WHEN logged.key_source = 'platform' THEN coalesce(logged.cost_usd, 0) ELSE 0 END,
    logged.cost_usd IS NULL AND logged.status <> 'refused',
    coalesce(logged.input_tokens, 0), coalesce(logged.output_tokens, 0),
    CASE WHEN logged.status = 'success' THEN logged.latency_ms END,
    CASE WHEN logged.status = 'success' THEN logged.first_output_ms END
  WHERE NOT logged.is_test AND logged.caller_user_id IS DISTINCT FROM logged.owner_id
$$;

CREATE FUNCTION note_usage_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    PERFORM to_usage_change(OLD, -1);
  END IF;
  PERFORM to_usage_change(NEW, 1);
  RETURN NULL;
END
$$;

-- What was logged before, as the trigger would have noted it. The next rollups add it up. The log is read as a role that may
-- read all of it, so that nobody who reads it meanwhile has to wait; who writes waits.
LOCK TABLE x402_prompt_template_usage_logs IN SHARE ROW EXCLUSIVE MODE;
SET LOCAL ROLE farebox_system;
INSERT INTO usage_changes (sign, owner_id, resource_id, version, model, payer, at, status, problem, earned_atomic,
  own_cost_usd, platform_cost_usd, is_cost_unknown, input_tokens, output_tokens, latency_ms, first_output_ms)
SELECT 1, owner_id, resource_id, version, coalesce(model, ''), payer, at, status,
  CASE WHEN status <> 'success' THEN problem END, CASE WHEN transaction IS NULL THEN 0 ELSE amount_atomic END,
  CASE WHEN key_source = 'platform' THEN 0 ELSE coalesce(cost_usd, 0) END,
  CASE WHEN key_source = 'platform' THEN coalesce(cost_usd, 0) ELSE 0 END,
  cost_usd IS NULL AND status <> 'refused', coalesce(input_tokens, 0), coalesce(output_tokens, 0),
  CASE WHEN status = 'success' THEN latency_ms END, CASE WHEN status = 'success' THEN first_output_ms END
FROM x402_prompt_template_usage_logs
WHERE NOT is_test AND caller_user_id IS DISTINCT FROM owner_id;
RESET ROLE;

CREATE TRIGGER note_usage_change AFTER INSERT OR UPDATE ON x402_prompt_template_usage_logs
  FOR EACH ROW EXECUTE FUNCTION note_usage_change();
