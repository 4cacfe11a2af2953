-- Buyers may call a version by its number, its creator may name or withdraw it, and the draft that it was made of is kept.
ALTER TABLE x402_resource_versions
  ADD COLUMN draft jsonb,
  ADD COLUMN label text CHECK (label ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(label) <= 40),
  ADD COLUMN withdrawn_at timestamptz;
CREATE UNIQUE INDEX x402_resource_versions_label_idx ON x402_resource_versions (resource_id, label);

CREATE OR REPLACE FUNCTION keep_published_versions() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  open_columns CONSTANT text[] := ARRAY['ai_model_id', 'superseded_at', 'label', 'withdrawn_at'];
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - open_columns = to_jsonb(OLD) - open_columns
    AND (OLD.superseded_at IS NULL OR NEW.superseded_at = OLD.superseded_at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a published version never changes' USING ERRCODE = 'restrict_violation';
END
$$;
GRANT UPDATE (label, withdrawn_at) ON x402_resource_versions TO farebox_app;

-- Their creators replaced these without knowing that they could be called any more.
ALTER TABLE x402_resource_versions NO FORCE ROW LEVEL SECURITY;
UPDATE x402_resource_versions SET withdrawn_at = superseded_at WHERE superseded_at IS NOT NULL;
ALTER TABLE x402_resource_versions FORCE ROW LEVEL SECURITY;

CREATE FUNCTION notify_version_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('resources_changed', NEW.resource_id::text);
  RETURN NULL;
END
$$;
CREATE TRIGGER notify_version_changed AFTER UPDATE ON x402_resource_versions
  FOR EACH ROW WHEN (OLD.withdrawn_at IS DISTINCT FROM NEW.withdrawn_at)
  EXECUTE FUNCTION notify_version_changed();
