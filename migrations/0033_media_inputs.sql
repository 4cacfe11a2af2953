-- Files that buyers have sent with a call, for as long as its run may need them.
CREATE TABLE media_inputs (
  id           uuid PRIMARY KEY,
  call_id      uuid NOT NULL,
  object_id    uuid NOT NULL REFERENCES media_objects,
  content_type text NOT NULL,
  expires_at   timestamptz NOT NULL
);
CREATE INDEX media_inputs_call ON media_inputs (call_id);
CREATE INDEX media_inputs_expiry ON media_inputs (expires_at);
CREATE INDEX media_inputs_object ON media_inputs (object_id);
-- Nobody but the run reads them, their creator neither.
GRANT SELECT, INSERT, UPDATE, DELETE ON media_inputs TO farebox_system;
