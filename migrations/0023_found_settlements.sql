-- Which calls held a payment before: asked for when the chain shows that somebody has used the payment.
CREATE INDEX calls_released_payment ON calls (network, asset, payer, uniqueness_key) WHERE state IN ('refused', 'failed');

-- A call that ended without being paid is logged anew when the chain shows its transfer after all; a success never changes.
ALTER POLICY usage_logs_resolve ON x402_prompt_template_usage_logs
  USING (status IN ('owed', 'failed', 'refused', 'unpaid'));
GRANT UPDATE (amount_atomic, transaction) ON x402_prompt_template_usage_logs TO farebox_system;
