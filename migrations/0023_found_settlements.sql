-- Which calls held a payment before: asked for when the chain shows that somebody has used the payment.
CREATE INDEX calls_released_payment ON calls (network, asset, payer, uniqueness_key) WHERE state IN ('refused', 'failed');

-- A call that ended without being paid is logged anew when the chain shows its transfer after all; a success never changes.
ALTER POLICY usage_logs_resolve ON x402_prompt_template_usage_logs
  USING (status IN ('owed', 'failed', 'refused', 'unpaid'));
GRANT UPDATE (amount_atomic, transaction) ON x402_prompt_template_usage_logs TO farebox_system;

ALTER TABLE calls
  -- When its money moves, and when its offer was published; the version may have changed since. Null in rows from before.
  ADD COLUMN settlement_point text CHECK (settlement_point IN ('on_success', 'at_first_output', 'upfront')),
  ADD COLUMN offered_at timestamptz,
  -- When the chain did not show the transfer of a call that is booked.
  ADD COLUMN transfer_missing_at timestamptz;
