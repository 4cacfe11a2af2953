-- Dashboards tell payers and latencies of every cell. Sums by hour and by day, each with histograms of latencies in the row; sets
-- of the wallets that have paid, as bits; one payer's calls by day, resource, version and model. The rows of versions (-1) of the
-- resource 00000000-0000-0000-0000-000000000000 stand for all resources of a model, that of version 0 for all of the owner.

-- A histogram is a list of count * 512 + latency_bucket; a bucket may have several entries. This leaves one for each.
CREATE FUNCTION to_histogram(entries bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(calls * 512 + bucket ORDER BY bucket) FILTER (WHERE calls <> 0), '{}') FROM (
    SELECT entry & 511 AS bucket, sum((entry >> 9)::integer) AS calls FROM unnest(entries) AS entry GROUP BY 1) AS one
$$;

LOCK TABLE x402_prompt_template_usage_logs IN SHARE ROW EXCLUSIVE MODE;
-- Everything is added up anew, from the log: what was added up by the day alone does not tell the hours.
TRUNCATE usage_changes, usage_hours, usage_problems;
DROP TABLE usage_hour_latencies, usage_day_latencies, usage_payers;

ALTER TABLE usage_hours ADD COLUMN latencies bigint[] NOT NULL, ADD COLUMN first_outputs bigint[] NOT NULL;

CREATE TABLE usage_days (
  owner_id          text NOT NULL,
  day               date NOT NULL,
  resource_id       uuid NOT NULL,
  version           integer NOT NULL,
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
  latencies         bigint[] NOT NULL,
  first_outputs     bigint[] NOT NULL,
  PRIMARY KEY (owner_id, resource_id, day, version, model)
);

-- Sums of one payer's calls.
CREATE TABLE usage_payers (
  owner_id          text NOT NULL,
  payer             text NOT NULL,
  day               date NOT NULL,
  resource_id       uuid NOT NULL,
  version           integer NOT NULL,
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
  latencies         bigint[] NOT NULL,
  first_outputs     bigint[] NOT NULL,
  last_called_at    timestamptz(3) NOT NULL,
  PRIMARY KEY (owner_id, payer, day, resource_id, version, model)
);
CREATE INDEX usage_payers_of_days ON usage_payers (owner_id, resource_id, day);

-- Of all resources: to find who has paid most.
CREATE TABLE usage_payer_days (
  owner_id      text NOT NULL,
  day           date NOT NULL,
  payer         text NOT NULL,
  earned_atomic numeric(38, 0) NOT NULL,
  -- Successes and failures; and with them calls of every other end.
  calls         bigint NOT NULL,
  all_calls     bigint NOT NULL,
  PRIMARY KEY (owner_id, day, payer)
);

-- Counted from 0 for each owner, in the order in which they first paid.
CREATE TABLE usage_payer_numbers (
  owner_id text NOT NULL,
  payer    text NOT NULL,
  number   integer NOT NULL,
  PRIMARY KEY (owner_id, payer),
  UNIQUE (owner_id, number)
);

-- Who has paid something. Bit n of a chunk stands for the payer with the number chunk * 16384 + n; long enough to be compressed.
CREATE TABLE usage_hour_payers (
  owner_id    text NOT NULL,
  resource_id uuid NOT NULL,
  hour        timestamptz(0) NOT NULL,
  version     integer NOT NULL,
  model       text NOT NULL,
  chunk       integer NOT NULL,
  payers      bit(16384) NOT NULL,
  PRIMARY KEY (owner_id, resource_id, hour, version, model, chunk)
);

CREATE TABLE usage_day_payers (
  owner_id    text NOT NULL,
  resource_id uuid NOT NULL,
  day         date NOT NULL,
  version     integer NOT NULL,
  model       text NOT NULL,
  chunk       integer NOT NULL,
  payers      bit(16384) NOT NULL,
  PRIMARY KEY (owner_id, resource_id, day, version, model, chunk)
);

-- As a subquery it is evaluated once, not for every row.
ALTER POLICY usage_logs_owner ON x402_prompt_template_usage_logs USING (owner_id = (SELECT app_user_id()));
ALTER POLICY usage_changes_owner ON usage_changes USING (owner_id = (SELECT app_user_id()));
ALTER POLICY usage_hours_owner ON usage_hours USING (owner_id = (SELECT app_user_id()));
ALTER POLICY usage_problems_owner ON usage_problems USING (owner_id = (SELECT app_user_id()));
DO $$
DECLARE
  counted text;
BEGIN
  FOREACH counted IN ARRAY ARRAY['usage_days', 'usage_payers', 'usage_payer_days', 'usage_payer_numbers', 'usage_hour_payers', 'usage_day_payers'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', counted);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', counted);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO farebox_app USING (owner_id = (SELECT app_user_id()))',
      counted || '_owner', counted);
    EXECUTE format('CREATE POLICY %I ON %I TO farebox_system USING (true) WITH CHECK (true)', counted || '_system', counted);
    EXECUTE format('GRANT SELECT ON %I TO farebox_app', counted);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO farebox_system', counted);
  END LOOP;
END
$$;

-- Of the log: what `to_usage_change` notes as paid.
CREATE VIEW usage_paid_calls WITH (security_invoker = true) AS
SELECT owner_id, resource_id, version, coalesce(model, '') AS model, payer, at FROM x402_prompt_template_usage_logs
WHERE NOT is_test AND caller_user_id IS DISTINCT FROM owner_id
  AND transaction IS NOT NULL AND amount_atomic > 0 AND payer IS NOT NULL;
GRANT SELECT ON usage_paid_calls TO farebox_app, farebox_system;

-- What has been logged until now, as the trigger would have noted it. The next rollups add it up.
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
