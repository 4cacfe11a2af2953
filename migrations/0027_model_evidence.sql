-- What the sync knows of a model beside its row: since when and in how many lists in a row it has been missing, and which
-- fields of the newest list could not be read, so that the row keeps what the last good one said.
ALTER TABLE ai_models
  ADD COLUMN missed_syncs integer NOT NULL DEFAULT 0 CHECK (missed_syncs >= 0),
  ADD COLUMN first_missed_at timestamptz,
  ADD COLUMN odd_fields jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(odd_fields) = 'array'),
  ADD COLUMN odd_since timestamptz,
  ADD CHECK ((missed_syncs = 0) = (first_missed_at IS NULL)),
  ADD CHECK ((odd_fields = '[]') = (odd_since IS NULL));

-- The odd fields of a whole list, bounded.
ALTER TABLE ai_model_syncs ADD COLUMN odd jsonb;

-- A version carries the row of its first model. It is the one column of a version that may change afterwards: a sync
-- aligns it when the model is renamed, listed for the first time, or its row replaced.
ALTER TABLE x402_resource_versions
  ADD COLUMN ai_model_id uuid REFERENCES ai_models (id) ON DELETE SET NULL;
CREATE INDEX x402_resource_versions_model_idx ON x402_resource_versions (ai_model_id) WHERE superseded_at IS NULL;

CREATE OR REPLACE FUNCTION keep_published_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'ai_model_id' - 'superseded_at' = to_jsonb(OLD) - 'ai_model_id' - 'superseded_at'
    AND (OLD.superseded_at IS NULL OR NEW.superseded_at = OLD.superseded_at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a published version never changes' USING ERRCODE = 'restrict_violation';
END
$$;
GRANT UPDATE (ai_model_id) ON x402_resource_versions TO farebox_system;

ALTER TABLE x402_resource_versions NO FORCE ROW LEVEL SECURITY;
UPDATE x402_resource_versions version SET ai_model_id = model.id
FROM ai_models model
WHERE model.openrouter_id = CASE version.kind
  WHEN 'openrouter_instant' THEN version.config ->> 'modelId'
  WHEN 'prompt_template' THEN CASE WHEN version.config #>> '{upstream,type}' = 'openrouter' THEN version.config ->> 'model' END
END;
ALTER TABLE x402_resource_versions FORCE ROW LEVEL SECURITY;

-- What a call was expected to cost by the catalogue's prices, beside what it did cost.
ALTER TABLE x402_prompt_template_usage_logs ADD COLUMN expected_cost_usd numeric CHECK (expected_cost_usd >= 0);
GRANT UPDATE (expected_cost_usd) ON x402_prompt_template_usage_logs TO farebox_system;
