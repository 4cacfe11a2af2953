-- What is done for payments before their money moves, bounded per wallet, client, resource and creator. It is derived from
-- the calls themselves, so that nothing has to be given back after a crash.
ALTER TABLE calls
  -- What the run may cost its creator at most, in USD, while and where it is done on trust; null where it is not.
  ADD COLUMN trust_usd numeric CHECK (trust_usd >= 0),
  -- Digest of the network that the request came from; of wallets that had paid this creator nothing yet.
  ADD COLUMN client text;

ALTER TABLE calls NO FORCE ROW LEVEL SECURITY;
UPDATE calls SET trust_usd = amount_atomic / 1000000
  WHERE offer->>'paymentFlow' IS DISTINCT FROM 'upfront'
    AND (state IN ('claimed', 'running', 'settling', 'pending') OR (state = 'unpaid' AND updated_at > now() - interval '1 day'));
ALTER TABLE calls FORCE ROW LEVEL SECURITY;

DROP INDEX calls_exposure;
CREATE INDEX calls_open_of_payer ON calls (payer) WHERE state IN ('claimed', 'running', 'settling', 'pending');
CREATE INDEX calls_open_of_owner ON calls (owner_id)
  WHERE state IN ('claimed', 'running', 'settling', 'pending') AND trust_usd IS NOT NULL;
CREATE INDEX calls_open_of_client ON calls (client)
  WHERE state IN ('claimed', 'running', 'settling', 'pending') AND client IS NOT NULL;
CREATE INDEX calls_lost_of_payer ON calls (payer, state, updated_at) WHERE state IN ('unpaid', 'refused');
CREATE INDEX calls_lost_of_owner ON calls (owner_id, updated_at) WHERE state = 'unpaid' AND trust_usd IS NOT NULL;
CREATE INDEX calls_lost_of_client ON calls (client, state, updated_at)
  WHERE state IN ('unpaid', 'refused') AND client IS NOT NULL;
CREATE INDEX calls_reverted_of_payer ON calls (payer, updated_at) WHERE settle_attempts > 0;
CREATE INDEX calls_reverted_of_client ON calls (client, updated_at) WHERE settle_attempts > 0 AND client IS NOT NULL;
-- Whom a wallet has paid, and how often.
CREATE INDEX calls_paid_by ON calls (payer, owner_id) WHERE settled_at IS NOT NULL;

-- What a creator is willing to lose; without a row the default holds.
CREATE TABLE trust_limits (
  owner_id        text PRIMARY KEY,
  max_usd_per_day numeric(12, 6) NOT NULL CHECK (max_usd_per_day >= 0),
  updated_at      timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE trust_limits ENABLE ROW LEVEL SECURITY;
ALTER TABLE trust_limits FORCE ROW LEVEL SECURITY;
CREATE POLICY trust_limits_owner ON trust_limits TO farebox_app
  USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id());
CREATE POLICY trust_limits_system ON trust_limits TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON trust_limits TO farebox_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON trust_limits TO farebox_system;
