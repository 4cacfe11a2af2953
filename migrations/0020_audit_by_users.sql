-- The audit row of a change is written in the transaction of the change, so a user's transaction may insert that user's rows.
CREATE POLICY audit_log_own_write ON audit_log FOR INSERT TO farebox_app WITH CHECK (owner_id = app_user_id());
GRANT INSERT ON audit_log TO farebox_app;

-- By what the caller was known, and through which surface the call came; until now all came by HTTP.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_via_check;
ALTER TABLE audit_log ADD CONSTRAINT audit_log_via_check
  CHECK (via IN ('session', 'api_key', 'wallet', 'mcp', 'cli', 'system', 'anonymous'));
ALTER TABLE audit_log ADD COLUMN surface text NOT NULL DEFAULT 'http'
  CHECK (surface IN ('http', 'mcp', 'cli', 'system'));
ALTER TABLE audit_log ALTER COLUMN surface DROP DEFAULT;
