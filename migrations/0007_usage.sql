-- The log of calls. One row per call, written once, never changed: the server may insert and read, the owner may read.
-- No foreign keys: the log outlives what it names.
CREATE TABLE x402_prompt_template_usage_logs (
  call_id        uuid PRIMARY KEY,
  resource_id    uuid NOT NULL,
  version_id     uuid NOT NULL,
  version        integer NOT NULL,
  owner_id       text NOT NULL,
  payer          text,
  caller_user_id text,
  request_id     text NOT NULL,
  status         text NOT NULL CHECK (status IN ('success', 'failed', 'refused', 'unpaid')),
  problem        text,
  cause          text,
  model          text,
  provider       text,
  generation_id  text,
  input_tokens   bigint,
  output_tokens  bigint,
  cost_usd       numeric,
  latency_ms     bigint,
  first_token_ms bigint,
  finish_reason  text,
  amount_atomic  numeric(38, 0) NOT NULL DEFAULT 0 CHECK (amount_atomic >= 0),
  network        text,
  transaction    text,
  is_test        boolean NOT NULL,
  is_simulated   boolean NOT NULL,
  is_free        boolean NOT NULL,
  at             timestamptz(3) NOT NULL
);

CREATE INDEX usage_logs_owner ON x402_prompt_template_usage_logs (owner_id, at DESC, call_id DESC);
CREATE INDEX usage_logs_resource ON x402_prompt_template_usage_logs (resource_id, at DESC, call_id DESC);

ALTER TABLE x402_prompt_template_usage_logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE x402_prompt_template_usage_logs FORCE ROW LEVEL SECURITY;
CREATE POLICY usage_logs_owner ON x402_prompt_template_usage_logs
  FOR SELECT TO farebox_app USING (owner_id = app_user_id());
CREATE POLICY usage_logs_read ON x402_prompt_template_usage_logs FOR SELECT TO farebox_system USING (true);
CREATE POLICY usage_logs_write ON x402_prompt_template_usage_logs FOR INSERT TO farebox_system WITH CHECK (true);
GRANT SELECT ON x402_prompt_template_usage_logs TO farebox_app;
GRANT SELECT, INSERT ON x402_prompt_template_usage_logs TO farebox_system;

-- What a counted call adds to the statistics, until the rollup has taken it. Written by the statement that writes the
-- log row and removed by the statement that adds it to the rollup, so that every snapshot sees it in exactly one place.
CREATE TABLE usage_pending (
  resource_id   uuid NOT NULL,
  day           date NOT NULL,
  success_count smallint NOT NULL,
  failure_count smallint NOT NULL,
  unpaid_count  smallint NOT NULL,
  earned_atomic numeric(38, 0) NOT NULL,
  called_at     timestamptz(3) NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE INDEX usage_pending_resource ON usage_pending (resource_id);

CREATE TABLE usage_rollups (
  resource_id    uuid NOT NULL,
  day            date NOT NULL,
  success_count  bigint NOT NULL,
  failure_count  bigint NOT NULL,
  unpaid_count   bigint NOT NULL,
  earned_atomic  numeric(38, 0) NOT NULL,
  last_called_at timestamptz(3) NOT NULL,
  PRIMARY KEY (resource_id, day)
);

GRANT SELECT, INSERT, DELETE ON usage_pending TO farebox_system;
GRANT SELECT, INSERT, UPDATE ON usage_rollups TO farebox_system;
