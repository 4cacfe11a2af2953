-- What has come so far of answers that go out while they are made, for whoever takes one up again in another process. Rows
-- hold several parts each and are deleted with the whole answer stored in `calls`.
CREATE TABLE call_stream_parts (
  call_id uuid NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
  run integer NOT NULL,
  -- Places in the stream: a character of text counts one, and so does each other part.
  begins integer NOT NULL,
  ends integer NOT NULL,
  parts text NOT NULL,
  PRIMARY KEY (call_id, run, begins)
);

ALTER TABLE call_stream_parts ENABLE ROW LEVEL SECURITY;
ALTER TABLE call_stream_parts FORCE ROW LEVEL SECURITY;
CREATE POLICY call_stream_parts_system ON call_stream_parts TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON call_stream_parts TO farebox_system;
