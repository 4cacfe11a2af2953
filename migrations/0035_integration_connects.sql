-- Connections that were begun at a provider's consent page and not finished yet: each is finished once, by the account that
-- began it. Of the secret state only its SHA-256 is kept; the verifier that belongs to it is derived from it with a key of
-- the server.
CREATE TABLE integration_connects (
  state_hash text PRIMARY KEY,
  owner_id   text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  service    text NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX integration_connects_owner_idx ON integration_connects (owner_id, expires_at);

ALTER TABLE integration_connects ENABLE ROW LEVEL SECURITY;
ALTER TABLE integration_connects FORCE ROW LEVEL SECURITY;
CREATE POLICY integration_connects_owner ON integration_connects TO farebox_app
  USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id());
CREATE POLICY integration_connects_system ON integration_connects TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON integration_connects TO farebox_app;
GRANT SELECT, DELETE ON integration_connects TO farebox_system;
