-- The catalogue of AI models: public, written only by the sync. Prices are USD per unit as decimal text in `pricing`;
-- prompt_price and completion_price repeat two of them for sorting and filters, NULL where they are unknown (routers).
CREATE TABLE ai_models (
  id uuid PRIMARY KEY,
  openrouter_id text NOT NULL UNIQUE,
  canonical_slug text NOT NULL,
  display_name text NOT NULL,
  description text NOT NULL,
  provider text NOT NULL,
  input_modalities text[] NOT NULL,
  output_modalities text[] NOT NULL,
  context_length integer CHECK (context_length >= 0),
  max_completion_tokens integer CHECK (max_completion_tokens >= 0),
  supported_parameters text[] NOT NULL,
  pricing jsonb NOT NULL,
  prompt_price numeric CHECK (prompt_price >= 0),
  completion_price numeric CHECK (completion_price >= 0),
  is_free boolean NOT NULL,
  is_router boolean NOT NULL,
  is_active boolean NOT NULL DEFAULT true,
  expiration_date date,
  published_at timestamptz,
  extra jsonb NOT NULL,
  first_seen_at timestamptz NOT NULL,
  last_synced_at timestamptz NOT NULL
);

-- `number` orders the syncs by their start: an older list that arrives late must not undo a newer one.
CREATE TABLE ai_model_syncs (
  id uuid PRIMARY KEY,
  number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  trigger text NOT NULL,
  status text NOT NULL CHECK (status IN ('running', 'applied', 'refused', 'superseded', 'failed')),
  counts jsonb,
  problem text,
  started_at timestamptz NOT NULL,
  finished_at timestamptz
);

CREATE TABLE ai_model_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  openrouter_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('added', 'removed', 'returned', 'price', 'capability', 'expiry')),
  before jsonb,
  after jsonb,
  sync_id uuid NOT NULL REFERENCES ai_model_syncs (id),
  at timestamptz NOT NULL
);
CREATE INDEX ai_model_changes_by_model ON ai_model_changes (openrouter_id, id DESC);

GRANT SELECT ON ai_models, ai_model_changes TO farebox_app;
GRANT SELECT, INSERT, UPDATE ON ai_models, ai_model_syncs TO farebox_system;
GRANT SELECT, INSERT ON ai_model_changes TO farebox_system;
