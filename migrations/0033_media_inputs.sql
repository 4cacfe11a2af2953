-- Files that buyers have sent with a call, for as long as its run may need them: the bytes are a file named by the id (src/media).
CREATE TABLE media_inputs (
  id           uuid PRIMARY KEY,
  call_id      uuid NOT NULL,
  content_type text NOT NULL,
  bytes        integer NOT NULL CHECK (bytes > 0),
  sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  expires_at   timestamptz NOT NULL
);
CREATE INDEX media_inputs_call ON media_inputs (call_id);
CREATE INDEX media_inputs_expiry ON media_inputs (expires_at);
-- Nobody but the run reads them, their creator neither.
GRANT SELECT, INSERT, DELETE ON media_inputs TO farebox_system;
