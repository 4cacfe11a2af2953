-- One row per attempt to buy an answer with a payment. While it is open or paid, the row IS the claim on the payment:
-- the partial unique index lets a payment be held by one call only, and be used again after a call that charged nothing.
CREATE TABLE calls (
  id uuid PRIMARY KEY,
  owner_id text NOT NULL,
  resource_id uuid NOT NULL,
  version_id uuid NOT NULL,
  request_id text NOT NULL,
  process_id uuid NOT NULL,
  state text NOT NULL CHECK (state IN
    ('claimed', 'refused', 'running', 'failed', 'settling', 'pending', 'settled', 'unpaid', 'delivered', 'owed', 'refunded')),
  network text NOT NULL,
  asset text NOT NULL,
  payer text NOT NULL,
  nonce text NOT NULL,
  amount_atomic numeric(38, 0) NOT NULL CHECK (amount_atomic > 0),
  fingerprint text NOT NULL,
  payment jsonb NOT NULL,
  offer jsonb NOT NULL,
  valid_before timestamptz NOT NULL,
  deadline timestamptz NOT NULL,
  answer text,
  record text,
  transaction text,
  reason text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  settled_at timestamptz,
  CHECK (state NOT IN ('settled', 'delivered', 'owed') OR transaction IS NOT NULL)
);

CREATE UNIQUE INDEX calls_claim ON calls (network, asset, payer, nonce) WHERE state NOT IN ('refused', 'failed');
CREATE INDEX calls_open ON calls (deadline) WHERE state IN ('claimed', 'running', 'settling', 'pending', 'settled');
CREATE INDEX calls_kept_answers ON calls (settled_at) WHERE answer IS NOT NULL AND state IN ('delivered', 'owed');

ALTER TABLE calls ENABLE ROW LEVEL SECURITY;
ALTER TABLE calls FORCE ROW LEVEL SECURITY;
-- No policy for farebox_app: an answer belongs to its buyer, so not even the creator reads it.
CREATE POLICY calls_system ON calls TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON calls TO farebox_system;

-- Which processes are alive: calls of a process that stopped beating are taken over by the reconciler.
CREATE TABLE gateway_processes (
  id uuid PRIMARY KEY,
  beat_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON gateway_processes TO farebox_system;
