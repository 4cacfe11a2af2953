-- One payer's sums of a day over all resources, so that a creator's payers are read from one row a payer and day.
-- Both at once, in the order of the rollup, which may be running in an older process.
LOCK TABLE usage_payers, usage_payer_days IN ACCESS EXCLUSIVE MODE;
TRUNCATE usage_payer_days;
ALTER TABLE usage_payer_days
  DROP CONSTRAINT usage_payer_days_pkey, ADD PRIMARY KEY (owner_id, payer, day),
  DROP COLUMN calls, DROP COLUMN all_calls,
  ADD COLUMN successes         bigint NOT NULL,
  ADD COLUMN failures          bigint NOT NULL,
  ADD COLUMN unpaid            bigint NOT NULL,
  ADD COLUMN refused           bigint NOT NULL,
  ADD COLUMN owed              bigint NOT NULL,
  ADD COLUMN own_cost_usd      numeric NOT NULL,
  ADD COLUMN platform_cost_usd numeric NOT NULL,
  ADD COLUMN unknown_costs     bigint NOT NULL,
  ADD COLUMN input_tokens      numeric NOT NULL,
  ADD COLUMN output_tokens     numeric NOT NULL,
  ADD COLUMN latencies         bigint[] NOT NULL,
  ADD COLUMN first_outputs     bigint[] NOT NULL,
  ADD COLUMN last_called_at    timestamptz(3) NOT NULL;

-- Row-level security is in force for the owner of the tables too.
SET LOCAL ROLE farebox_system;
INSERT INTO usage_payer_days (owner_id, payer, day, successes, failures, unpaid, refused, owed, earned_atomic, own_cost_usd,
  platform_cost_usd, unknown_costs, input_tokens, output_tokens, latencies, first_outputs, last_called_at)
SELECT owner_id, payer, day, sum(successes), sum(failures), sum(unpaid), sum(refused), sum(owed), sum(earned_atomic),
  sum(own_cost_usd), sum(platform_cost_usd), sum(unknown_costs), sum(input_tokens), sum(output_tokens),
  to_histogram(ARRAY(SELECT unnest(latencies) FROM usage_payers AS cell
    WHERE cell.owner_id = kept.owner_id AND cell.payer = kept.payer AND cell.day = kept.day)),
  to_histogram(ARRAY(SELECT unnest(first_outputs) FROM usage_payers AS cell
    WHERE cell.owner_id = kept.owner_id AND cell.payer = kept.payer AND cell.day = kept.day)),
  max(last_called_at)
FROM usage_payers AS kept GROUP BY owner_id, payer, day;
RESET ROLE;

-- To find who has paid most, from the index alone.
CREATE INDEX usage_payer_days_of_days ON usage_payer_days (owner_id, day)
  INCLUDE (payer, earned_atomic, successes, failures, unpaid, refused, owed);

-- The same of one resource or version.
DROP INDEX usage_payers_of_days;
CREATE INDEX usage_payers_of_versions ON usage_payers (owner_id, resource_id, day, version)
  INCLUDE (model, payer, earned_atomic, successes, failures, unpaid, refused, owed);
