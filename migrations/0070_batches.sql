-- How many inputs one call of the version may carry at the most. NULL: one.
ALTER TABLE x402_resource_versions ADD COLUMN batch_max_inputs integer CHECK (batch_max_inputs BETWEEN 1 AND 1000);
ALTER TABLE calls ADD COLUMN is_batch boolean NOT NULL DEFAULT false;

-- What has become of each input of a call that carries many. Rows are deleted with the whole answer stored in `calls`.
CREATE TABLE batch_items (
  call_id uuid NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
  item_index integer NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'succeeded', 'failed')),
  -- Counted before the model is asked, and begun anew by the next run of the call after this one has failed.
  attempts integer NOT NULL DEFAULT 0,
  -- In which run of the call it has ended.
  ended_in_run integer,
  answer text,
  problem text,
  -- For the creator only.
  cause text,
  -- What of it the usage log does not hold yet.
  cost_usd numeric,
  asked integer NOT NULL DEFAULT 0,
  evidence text,
  PRIMARY KEY (call_id, item_index),
  CHECK ((state = 'succeeded') = (answer IS NOT NULL))
);

ALTER TABLE batch_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE batch_items FORCE ROW LEVEL SECURITY;
-- As of `calls`: no policy for farebox_app.
CREATE POLICY batch_items_system ON batch_items TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON batch_items TO farebox_system;
