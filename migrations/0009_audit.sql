-- Who changed what through a management operation: names and ids only, never inputs. Inserted, never changed.
CREATE TABLE audit_log (
  id         uuid PRIMARY KEY,
  -- Whose action it was; null where nobody was signed in.
  owner_id   text,
  via        text NOT NULL CHECK (via IN ('session', 'api_key', 'anonymous')),
  operation  text NOT NULL,
  ids        jsonb NOT NULL,
  -- 'ok' or the problem code.
  outcome    text NOT NULL,
  request_id text NOT NULL,
  at         timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX audit_log_owner ON audit_log (owner_id, at DESC);

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_log_owner ON audit_log FOR SELECT TO farebox_app USING (owner_id = app_user_id());
CREATE POLICY audit_log_read ON audit_log FOR SELECT TO farebox_system USING (true);
CREATE POLICY audit_log_write ON audit_log FOR INSERT TO farebox_system WITH CHECK (true);
GRANT SELECT ON audit_log TO farebox_app;
GRANT SELECT, INSERT ON audit_log TO farebox_system;
