-- Images of paid answers: the row says what and until when, the bytes are a file named by the id (src/media).
CREATE TABLE x402_cached_images (
  id           uuid PRIMARY KEY,
  owner_id     text NOT NULL,
  call_id      uuid NOT NULL,
  content_type text NOT NULL CHECK (content_type IN ('image/png', 'image/jpeg', 'image/webp', 'image/gif')),
  width        integer CHECK (width > 0),
  height       integer CHECK (height > 0),
  bytes        integer NOT NULL CHECK (bytes > 0),
  sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL CHECK (expires_at > created_at)
);
CREATE INDEX x402_cached_images_expiry ON x402_cached_images (expires_at);
CREATE INDEX x402_cached_images_call ON x402_cached_images (call_id);

ALTER TABLE x402_cached_images ENABLE ROW LEVEL SECURITY;
ALTER TABLE x402_cached_images FORCE ROW LEVEL SECURITY;
CREATE POLICY x402_cached_images_owner ON x402_cached_images TO farebox_app USING (owner_id = app_user_id());
CREATE POLICY x402_cached_images_system ON x402_cached_images TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT ON x402_cached_images TO farebox_app;
GRANT SELECT, INSERT, DELETE ON x402_cached_images TO farebox_system;
