-- Processes remember for a moment who has no spend caps: each is told when somebody's caps change.
CREATE FUNCTION notify_spend_caps_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('spend_caps_changed', '');
  RETURN NULL;
END
$$;

CREATE TRIGGER notify_spend_caps_changed AFTER INSERT OR UPDATE OR DELETE ON spend_caps
  FOR EACH STATEMENT EXECUTE FUNCTION notify_spend_caps_changed();
