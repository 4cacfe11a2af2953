-- Who calls: users, their sessions and credentials (written by better-auth as farebox_system) and their API keys.

CREATE TABLE users (
  id text PRIMARY KEY,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
  email text NOT NULL UNIQUE CHECK (email = lower(email) AND char_length(email) <= 254),
  email_verified boolean NOT NULL DEFAULT false,
  image text CHECK (char_length(image) <= 2000),
  username text NOT NULL UNIQUE CHECK (username ~ '^[a-z0-9](-?[a-z0-9])*$' AND char_length(username) BETWEEN 3 AND 30),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
  id text PRIMARY KEY,
  owner_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  token text NOT NULL UNIQUE,
  expires_at timestamptz NOT NULL,
  ip_address text,
  user_agent text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sessions_owner_id_idx ON sessions (owner_id);

-- How a user proves who they are; `password` is a scrypt hash. The token columns belong to providers that are not offered yet.
CREATE TABLE auth_accounts (
  id text PRIMARY KEY,
  owner_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  account_id text NOT NULL,
  provider_id text NOT NULL,
  password text,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamptz,
  refresh_token_expires_at timestamptz,
  scope text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (provider_id, account_id)
);
CREATE INDEX auth_accounts_owner_id_idx ON auth_accounts (owner_id);

CREATE TABLE verifications (
  id text PRIMARY KEY,
  identifier text NOT NULL,
  value text NOT NULL,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX verifications_identifier_idx ON verifications (identifier);

CREATE TABLE auth_rate_limits (
  id text PRIMARY KEY,
  key text NOT NULL UNIQUE,
  count integer NOT NULL,
  last_request bigint NOT NULL
);

CREATE TABLE api_keys (
  id uuid PRIMARY KEY,
  owner_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  label text NOT NULL CHECK (char_length(label) BETWEEN 1 AND 60),
  scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
  prefix text NOT NULL,
  secret_hash text NOT NULL UNIQUE CHECK (secret_hash ~ '^[0-9a-f]{64}$'),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz NOT NULL
);
CREATE INDEX api_keys_owner_id_idx ON api_keys (owner_id, id DESC);

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY users_owner ON users TO farebox_app USING (id = app_user_id()) WITH CHECK (id = app_user_id());
CREATE POLICY users_system ON users TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT ON users TO farebox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON users TO farebox_system;

-- Session tokens and password hashes are for the sign-in protocol only: farebox_app gets no grant on these tables.
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY sessions_owner ON sessions TO farebox_app USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id());
CREATE POLICY sessions_system ON sessions TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO farebox_system;

ALTER TABLE auth_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth_accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY auth_accounts_owner ON auth_accounts TO farebox_app USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id());
CREATE POLICY auth_accounts_system ON auth_accounts TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON auth_accounts TO farebox_system;

ALTER TABLE verifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE verifications FORCE ROW LEVEL SECURITY;
CREATE POLICY verifications_system ON verifications TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON verifications TO farebox_system;

ALTER TABLE auth_rate_limits ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth_rate_limits FORCE ROW LEVEL SECURITY;
CREATE POLICY auth_rate_limits_system ON auth_rate_limits TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON auth_rate_limits TO farebox_system;

-- Keys are revoked, never deleted, so that the audit log's references stay readable.
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY api_keys_owner ON api_keys TO farebox_app USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id());
CREATE POLICY api_keys_system ON api_keys TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON api_keys TO farebox_app;
GRANT UPDATE (revoked_at) ON api_keys TO farebox_app;
GRANT SELECT, UPDATE ON api_keys TO farebox_system;
