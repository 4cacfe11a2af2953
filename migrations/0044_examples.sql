-- Inputs that a creator keeps beside a resource, and what its versions made of them.
CREATE TABLE resource_examples (
  id uuid PRIMARY KEY,
  resource_id uuid NOT NULL,
  owner_id text NOT NULL,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
  input jsonb NOT NULL,
  -- Whether it is run again for each version that is published.
  reruns boolean NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE (resource_id, name),
  UNIQUE (id, owner_id),
  FOREIGN KEY (resource_id, owner_id) REFERENCES x402_resources (id, owner_id)
);
ALTER TABLE resource_examples ENABLE ROW LEVEL SECURITY;
ALTER TABLE resource_examples FORCE ROW LEVEL SECURITY;
CREATE POLICY resource_examples_owner ON resource_examples TO farebox_app
  USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id());
CREATE POLICY resource_examples_system ON resource_examples TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON resource_examples TO farebox_app;
GRANT SELECT ON resource_examples TO farebox_system;

CREATE TABLE resource_example_runs (
  example_id uuid NOT NULL,
  owner_id text NOT NULL,
  -- 0: the draft.
  version integer NOT NULL CHECK (version >= 0),
  ok boolean,
  -- The answer as a buyer gets it, without a receipt.
  answer jsonb,
  cause text,
  cost_usd numeric,
  latency_ms integer,
  evidence jsonb NOT NULL DEFAULT '{}',
  -- While it is run: since when, so that one that was cut off is run again.
  started_at timestamptz NOT NULL,
  tries integer NOT NULL DEFAULT 1,
  ended_at timestamptz,
  PRIMARY KEY (example_id, version),
  FOREIGN KEY (example_id, owner_id) REFERENCES resource_examples (id, owner_id) ON DELETE CASCADE
);
ALTER TABLE resource_example_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE resource_example_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY resource_example_runs_owner ON resource_example_runs FOR SELECT TO farebox_app
  USING (owner_id = app_user_id());
CREATE POLICY resource_example_runs_system ON resource_example_runs TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT ON resource_example_runs TO farebox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON resource_example_runs TO farebox_system;
