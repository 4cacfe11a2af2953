-- Double entry: what leaves one account arrives in another, so the entries of a call add up to zero.
-- Accounts are `buyer:<address>` and `creator:<address>`: the money itself moves from wallet to wallet on the chain.
CREATE TABLE ledger_entries (
  call_id uuid NOT NULL,
  owner_id text NOT NULL,
  account text NOT NULL CHECK (account ~ '^(buyer|creator):0x[0-9a-f]{40}$'),
  network text NOT NULL,
  asset text NOT NULL CHECK (asset ~ '^0x[0-9a-f]{40}$'),
  amount_atomic numeric(38, 0) NOT NULL CHECK (amount_atomic <> 0),
  transaction text NOT NULL CHECK (transaction ~ '^0x[0-9a-f]{64}$'),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (call_id, account)
);

CREATE INDEX ledger_entries_owner ON ledger_entries (owner_id, created_at DESC);
CREATE INDEX ledger_entries_transaction ON ledger_entries (network, transaction);
CREATE INDEX ledger_entries_network ON ledger_entries (network, asset, created_at);

-- Checked at commit, so that one transaction may write the entries one after the other.
CREATE FUNCTION assert_ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed uuid := COALESCE(NEW.call_id, OLD.call_id);
BEGIN
  IF EXISTS (
    SELECT FROM ledger_entries WHERE call_id = changed GROUP BY network, asset HAVING sum(amount_atomic) <> 0
  ) THEN
    RAISE EXCEPTION 'the ledger entries of call % do not add up to zero', changed USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_entries_balance AFTER INSERT OR UPDATE OR DELETE ON ledger_entries
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION assert_ledger_balances();

ALTER TABLE ledger_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY ledger_entries_owner ON ledger_entries FOR SELECT TO farebox_app USING (owner_id = app_user_id());
CREATE POLICY ledger_entries_system ON ledger_entries TO farebox_system USING (true) WITH CHECK (true);
GRANT SELECT ON ledger_entries TO farebox_app;
-- Booked is booked: nobody changes or deletes an entry.
GRANT SELECT, INSERT ON ledger_entries TO farebox_system;
