-- Calls that are answered with 202 and carried out behind it.
ALTER TABLE x402_resource_versions ADD COLUMN runs_long boolean NOT NULL DEFAULT false;
ALTER TABLE calls ADD COLUMN runs_long boolean NOT NULL DEFAULT false;

-- What such a call has beside its row in `calls`.
CREATE TABLE long_calls (
  call_id uuid PRIMARY KEY REFERENCES calls (id) ON DELETE CASCADE,
  -- The URL that the receipt names.
  resource text NOT NULL,
  is_pinned boolean NOT NULL,
  -- SHA-256 of the status token, which is told once and stored nowhere.
  token_digest text NOT NULL,
  progress jsonb,
  progress_at timestamptz,
  cancelled_at timestamptz,
  -- How often another process has gone on with a run that was not paid yet.
  takeovers integer NOT NULL DEFAULT 0,
  -- How it ended without an answer, once the chain was asked whether it was charged.
  ended jsonb,
  callback_url text,
  callback_tries integer NOT NULL DEFAULT 0,
  -- Null: none is wanted, it has arrived, or it was given up.
  callback_due_at timestamptz
);
CREATE INDEX long_calls_callbacks ON long_calls (callback_due_at) WHERE callback_due_at IS NOT NULL;
ALTER TABLE long_calls ENABLE ROW LEVEL SECURITY;
ALTER TABLE long_calls FORCE ROW LEVEL SECURITY;
-- As of `calls`: no policy for farebox_app.
CREATE POLICY long_calls_system ON long_calls TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON long_calls TO farebox_system;

-- Whoever waits for such a call, in whichever process, hears that something has changed.
CREATE FUNCTION tell_call_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'calls' THEN
    PERFORM pg_notify('calls_changed', NEW.id::text);
  ELSE
    PERFORM pg_notify('calls_changed', NEW.call_id::text);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER calls_changed AFTER UPDATE OF state ON calls
  FOR EACH ROW WHEN (NEW.runs_long AND OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION tell_call_changed();
CREATE TRIGGER long_calls_changed AFTER UPDATE OF progress, cancelled_at, ended ON long_calls
  FOR EACH ROW EXECUTE FUNCTION tell_call_changed();
