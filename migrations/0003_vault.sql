-- Secrets at rest. Values are sealed under a data key per owner; data keys are wrapped by a master key that is never stored here.

-- Which master key wraps new data keys: the same answer for every process, so that a rotation cannot be undone by a late one.
CREATE TABLE vault_master_keys (
  id text PRIMARY KEY,
  is_current boolean NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX vault_master_keys_current_idx ON vault_master_keys (is_current) WHERE is_current;

-- owner_id is a user id, or '*platform' for what belongs to the server itself.
CREATE TABLE vault_data_keys (
  key_id uuid PRIMARY KEY,
  owner_id text NOT NULL,
  wrapped bytea NOT NULL,
  master_key_id text NOT NULL REFERENCES vault_master_keys (id),
  created_at timestamptz NOT NULL,
  retired_at timestamptz
);
CREATE UNIQUE INDEX vault_data_keys_active_idx ON vault_data_keys (owner_id) WHERE retired_at IS NULL;
CREATE INDEX vault_data_keys_master_key_id_idx ON vault_data_keys (master_key_id, key_id);

CREATE TABLE vault_secrets (
  id uuid PRIMARY KEY,
  owner_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  table_name text NOT NULL,
  row_id text NOT NULL,
  field text NOT NULL,
  sealed bytea NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (owner_id, table_name, row_id, field)
);

CREATE TABLE user_openrouter_integrations (
  owner_id text PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  id uuid NOT NULL UNIQUE,
  label text,
  sealed_key bytea NOT NULL,
  key_hash text NOT NULL,
  last_four text NOT NULL,
  is_enabled boolean NOT NULL,
  is_valid boolean NOT NULL,
  snapshot jsonb NOT NULL,
  last_checked_at timestamptz NOT NULL,
  last_problem text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

ALTER TABLE vault_master_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault_master_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY vault_master_keys_read ON vault_master_keys FOR SELECT TO farebox_app USING (true);
CREATE POLICY vault_master_keys_system ON vault_master_keys TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT ON vault_master_keys TO farebox_app;
GRANT SELECT, INSERT, UPDATE ON vault_master_keys TO farebox_system;

-- No DELETE for anybody: a sealed value without its data key is lost.
ALTER TABLE vault_data_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault_data_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY vault_data_keys_owner ON vault_data_keys TO farebox_app USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id());
CREATE POLICY vault_data_keys_system ON vault_data_keys TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON vault_data_keys TO farebox_app;
GRANT SELECT, INSERT, UPDATE ON vault_data_keys TO farebox_system;

ALTER TABLE vault_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault_secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY vault_secrets_owner ON vault_secrets TO farebox_app USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id());
CREATE POLICY vault_secrets_system ON vault_secrets TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON vault_secrets TO farebox_app;
GRANT SELECT, UPDATE ON vault_secrets TO farebox_system;

ALTER TABLE user_openrouter_integrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_openrouter_integrations FORCE ROW LEVEL SECURITY;
CREATE POLICY user_openrouter_integrations_owner ON user_openrouter_integrations TO farebox_app
  USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id());
CREATE POLICY user_openrouter_integrations_system ON user_openrouter_integrations TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON user_openrouter_integrations TO farebox_app;
GRANT SELECT, UPDATE ON user_openrouter_integrations TO farebox_system;
