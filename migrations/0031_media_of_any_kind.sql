-- Media of any kind, stored once for each content: what lies in the store is a row of its own, to which answers and uploads refer.
CREATE TABLE media_objects (
  id         uuid PRIMARY KEY,
  -- Where its bytes lie. Sorted as stores list their keys.
  key        text COLLATE "C" NOT NULL UNIQUE,
  sha256     text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  bytes      bigint NOT NULL CHECK (bytes > 0),
  -- 'shared': whole, and what comes with the same content refers to it. 'single': whole, for those who refer to it already.
  state      text NOT NULL CHECK (state IN ('writing', 'shared', 'single')),
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX media_objects_shared ON media_objects (sha256) WHERE state = 'shared';
GRANT SELECT, INSERT, UPDATE, DELETE ON media_objects TO farebox_system;

ALTER TABLE x402_cached_images NO FORCE ROW LEVEL SECURITY;

-- Until now each row had a file of its own, whose path was the hash of the row's id.
INSERT INTO media_objects (id, key, sha256, bytes, state, created_at)
SELECT id, encode(sha256(convert_to(id::text, 'UTF8')), 'hex'), sha256, bytes,
       CASE WHEN row_number() OVER (PARTITION BY sha256 ORDER BY expires_at DESC, id) = 1 THEN 'shared' ELSE 'single' END,
       created_at
FROM x402_cached_images;

ALTER TABLE x402_cached_images ADD COLUMN object_id uuid;
ALTER TABLE x402_cached_images ADD COLUMN kind text NOT NULL DEFAULT 'image'
  CHECK (kind IN ('image', 'audio', 'video', 'file'));
ALTER TABLE x402_cached_images ALTER COLUMN kind DROP DEFAULT;
UPDATE x402_cached_images SET object_id = id;
ALTER TABLE x402_cached_images ALTER COLUMN object_id SET NOT NULL;
ALTER TABLE x402_cached_images ADD FOREIGN KEY (object_id) REFERENCES media_objects;
CREATE INDEX x402_cached_images_object ON x402_cached_images (object_id);
-- Which types there are, src/media alone decides; nothing that a browser would run as a page of this origin.
ALTER TABLE x402_cached_images DROP CONSTRAINT x402_cached_images_content_type_check;
ALTER TABLE x402_cached_images ADD CONSTRAINT x402_cached_images_content_type_check CHECK (
  content_type ~ '^(image|audio|video|application|text)/[a-z0-9.+-]+$' AND content_type !~ '(html|xml|script)'
);

ALTER TABLE x402_cached_images FORCE ROW LEVEL SECURITY;
-- To lock the rows that expire, so that several processes share the work.
GRANT UPDATE ON x402_cached_images TO farebox_system;

-- What strangers have sent to be used in a call. Nobody owns it: whoever knows the id may use it, and only its hash is kept.
CREATE TABLE media_uploads (
  id_hash      text PRIMARY KEY CHECK (id_hash ~ '^[0-9a-f]{64}$'),
  -- Keyed hash of the sender's network.
  sender       text NOT NULL,
  -- Null while it is being received: the row then holds its place, with what it may have at most.
  object_id    uuid REFERENCES media_objects,
  bytes        bigint NOT NULL CHECK (bytes > 0),
  kind         text CHECK (kind IN ('image', 'audio', 'video', 'file')),
  content_type text,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL CHECK (expires_at > created_at),
  CHECK ((object_id IS NULL) = (kind IS NULL) AND (object_id IS NULL) = (content_type IS NULL))
);
CREATE INDEX media_uploads_expiry ON media_uploads (expires_at);
CREATE INDEX media_uploads_sender ON media_uploads (sender);
CREATE INDEX media_uploads_object ON media_uploads (object_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON media_uploads TO farebox_system;

-- What uploads have taken in all, by day (UTC).
CREATE TABLE media_upload_days (
  day   date PRIMARY KEY,
  bytes bigint NOT NULL CHECK (bytes >= 0)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON media_upload_days TO farebox_system;

-- How long files of answers are kept; until now always seven days.
ALTER TABLE x402_resource_versions ADD COLUMN media_retention_seconds integer NOT NULL DEFAULT 604800
  CHECK (media_retention_seconds > 0);

ALTER TABLE x402_resources NO FORCE ROW LEVEL SECURITY;
UPDATE x402_resources SET draft = '{"mediaRetentionSeconds": 604800}'::jsonb || draft;
ALTER TABLE x402_resources FORCE ROW LEVEL SECURITY;
