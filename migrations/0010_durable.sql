-- Who is alive, so that survivors may take over the work of the dead; and when each light sweep last began.
-- The engine's own tables live in the schema `durable`, which it migrates itself at start.
CREATE TABLE durable_executors (
  id text PRIMARY KEY,
  name text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE durable_sweeps (
  name text PRIMARY KEY,
  started_at timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON durable_executors, durable_sweeps TO farebox_system;
