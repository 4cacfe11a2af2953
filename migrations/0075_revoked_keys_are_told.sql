-- Processes keep the owners of API keys in memory for a moment: each is told when a key ends before its time.
CREATE FUNCTION notify_api_keys_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('api_keys_changed', '');
  RETURN NULL;
END
$$;

CREATE TRIGGER notify_api_keys_changed AFTER UPDATE OF revoked_at, expires_at OR DELETE ON api_keys
  FOR EACH STATEMENT EXECUTE FUNCTION notify_api_keys_changed();
