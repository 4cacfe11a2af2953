-- What a run told beside its answer: the common part as columns, the kind's own part as JSON. The columns model, provider,
-- tokens and so on are taken from the JSON, because the log is filtered and summed by them.
ALTER TABLE x402_prompt_template_usage_logs
  ADD COLUMN attempts int,
  ADD COLUMN evidence jsonb NOT NULL DEFAULT '{}';
ALTER TABLE x402_prompt_template_usage_logs RENAME COLUMN first_token_ms TO first_output_ms;

-- `owed`: paid, and not delivered yet. The one status that is followed by another; all other rows never change.
ALTER TABLE x402_prompt_template_usage_logs
  DROP CONSTRAINT x402_prompt_template_usage_logs_status_check,
  ADD CONSTRAINT x402_prompt_template_usage_logs_status_check
    CHECK (status IN ('success', 'failed', 'refused', 'unpaid', 'owed'));
CREATE POLICY usage_logs_resolve ON x402_prompt_template_usage_logs
  FOR UPDATE TO farebox_system USING (status = 'owed') WITH CHECK (true);
GRANT UPDATE (status, problem, cause, model, provider, generation_id, input_tokens, output_tokens, cost_usd, latency_ms,
  first_output_ms, finish_reason, is_simulated, at, attempts, evidence) ON x402_prompt_template_usage_logs TO farebox_system;

CREATE INDEX usage_logs_model ON x402_prompt_template_usage_logs (owner_id, model, at DESC, call_id DESC);
