-- What creators publish: a row per resource with its draft, immutable versions, and every slug a resource ever had.

CREATE TABLE x402_resources (
  id uuid PRIMARY KEY,
  owner_id text NOT NULL REFERENCES users (id),
  kind text NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 60),
  slug text NOT NULL CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 60),
  state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'paused', 'archived')),
  pause_cause text CHECK (char_length(pause_cause) <= 500),
  paused_by text CHECK (paused_by IN ('owner', 'key')),
  draft jsonb NOT NULL CHECK (jsonb_typeof(draft) = 'object'),
  -- Counts the edits of the draft; published_revision is the one that the newest version was made from.
  revision integer NOT NULL DEFAULT 1,
  published_revision integer,
  published_version_id uuid,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (id, owner_id),
  CHECK ((state = 'paused') = (paused_by IS NOT NULL)),
  CHECK (state NOT IN ('published', 'paused') OR published_version_id IS NOT NULL)
);
CREATE INDEX x402_resources_owner_idx ON x402_resources (owner_id, id DESC);
CREATE INDEX x402_resources_public_idx ON x402_resources (id DESC) WHERE state = 'published';

CREATE TABLE x402_resource_versions (
  id uuid PRIMARY KEY,
  resource_id uuid NOT NULL,
  owner_id text NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  slug text NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  description text NOT NULL,
  category text NOT NULL,
  tags text[] NOT NULL,
  price_atomic numeric(38,0) NOT NULL CHECK (price_atomic >= 0),
  network text NOT NULL,
  pay_to text NOT NULL,
  timeout_seconds integer NOT NULL CHECK (timeout_seconds > 0),
  parameters jsonb NOT NULL,
  input_schema jsonb NOT NULL,
  config jsonb NOT NULL,
  -- SHA-256 of the canonical draft, so that publishing the same draft twice is noticed.
  draft_digest text NOT NULL,
  search tsvector NOT NULL,
  published_at timestamptz NOT NULL,
  superseded_at timestamptz,
  UNIQUE (resource_id, version),
  UNIQUE (id, resource_id),
  -- Foreign keys look past row-level security: the pair keeps a user from hanging a version on somebody else's resource.
  FOREIGN KEY (resource_id, owner_id) REFERENCES x402_resources (id, owner_id)
);
CREATE UNIQUE INDEX x402_resource_versions_current_idx ON x402_resource_versions (resource_id) WHERE superseded_at IS NULL;
CREATE INDEX x402_resource_versions_search_idx ON x402_resource_versions USING gin (search) WHERE superseded_at IS NULL;

ALTER TABLE x402_resources
  ADD FOREIGN KEY (published_version_id, id) REFERENCES x402_resource_versions (id, resource_id);

-- A slug once published stays with its resource: old URLs go on working, and nobody inherits them.
CREATE TABLE x402_resource_slugs (
  owner_id text NOT NULL,
  slug text NOT NULL CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 60),
  resource_id uuid NOT NULL,
  PRIMARY KEY (owner_id, slug),
  FOREIGN KEY (resource_id, owner_id) REFERENCES x402_resources (id, owner_id)
);
CREATE INDEX x402_resource_slugs_resource_idx ON x402_resource_slugs (resource_id);

CREATE FUNCTION keep_published_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.superseded_at IS NULL
    AND to_jsonb(NEW) - 'superseded_at' = to_jsonb(OLD) - 'superseded_at' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a published version never changes' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER keep_published_versions BEFORE UPDATE OR DELETE ON x402_resource_versions
  FOR EACH ROW EXECUTE FUNCTION keep_published_versions();

CREATE FUNCTION notify_resources_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('resources_changed', NEW.id::text);
  RETURN NULL;
END
$$;
-- Drafts are nobody else's business: only what buyers can notice is announced.
CREATE TRIGGER notify_resources_changed AFTER UPDATE ON x402_resources
  FOR EACH ROW WHEN ((OLD.state, OLD.slug, OLD.pause_cause, OLD.published_version_id)
    IS DISTINCT FROM (NEW.state, NEW.slug, NEW.pause_cause, NEW.published_version_id))
  EXECUTE FUNCTION notify_resources_changed();

ALTER TABLE x402_resources ENABLE ROW LEVEL SECURITY;
ALTER TABLE x402_resources FORCE ROW LEVEL SECURITY;
CREATE POLICY x402_resources_owner ON x402_resources TO farebox_app
  USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id());
CREATE POLICY x402_resources_system ON x402_resources TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON x402_resources TO farebox_app;
GRANT SELECT ON x402_resources TO farebox_system;
GRANT UPDATE (state, pause_cause, paused_by, updated_at) ON x402_resources TO farebox_system;

ALTER TABLE x402_resource_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE x402_resource_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY x402_resource_versions_owner ON x402_resource_versions TO farebox_app
  USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id());
CREATE POLICY x402_resource_versions_system ON x402_resource_versions TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON x402_resource_versions TO farebox_app;
GRANT UPDATE (superseded_at) ON x402_resource_versions TO farebox_app;
GRANT SELECT ON x402_resource_versions TO farebox_system;

ALTER TABLE x402_resource_slugs ENABLE ROW LEVEL SECURITY;
ALTER TABLE x402_resource_slugs FORCE ROW LEVEL SECURITY;
CREATE POLICY x402_resource_slugs_owner ON x402_resource_slugs TO farebox_app
  USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id());
CREATE POLICY x402_resource_slugs_system ON x402_resource_slugs TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON x402_resource_slugs TO farebox_app;
GRANT SELECT ON x402_resource_slugs TO farebox_system;
