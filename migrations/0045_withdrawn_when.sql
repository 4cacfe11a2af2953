-- Versions that 0039_pinned_versions.sql withdrew tell when that was, instead of when they were replaced.
ALTER TABLE x402_resource_versions NO FORCE ROW LEVEL SECURITY;
UPDATE x402_resource_versions SET withdrawn_at = landed.applied_at
  FROM schema_migrations landed
  WHERE landed.name = '0039_pinned_versions.sql' AND withdrawn_at < landed.applied_at;
ALTER TABLE x402_resource_versions FORCE ROW LEVEL SECURITY;
