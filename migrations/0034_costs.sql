-- What the upstream says of the providers of each model that was asked for: the last good list, and how the last try ended.
-- `wanted_at`: when a resource last needed it; such rows are read again from time to time. Public, written by the system.
CREATE TABLE ai_model_endpoints (
  openrouter_id text PRIMARY KEY,
  endpoints jsonb CHECK (jsonb_typeof(endpoints) = 'array'),
  fetched_at timestamptz,
  tried_at timestamptz,
  problem text,
  wanted_at timestamptz,
  CHECK ((endpoints IS NULL) = (fetched_at IS NULL))
);
CREATE INDEX ai_model_endpoints_due ON ai_model_endpoints (tried_at NULLS FIRST) WHERE wanted_at IS NOT NULL;
GRANT SELECT ON ai_model_endpoints TO farebox_app;
GRANT SELECT, INSERT, UPDATE ON ai_model_endpoints TO farebox_system;

-- The most that one call may lose its creator, in USD, as accepted at publishing. NULL: published before this was asked;
-- such a version is sold as it was, whatever its models cost.
ALTER TABLE x402_resource_versions ADD COLUMN max_loss_usd numeric CHECK (max_loss_usd >= 0);
