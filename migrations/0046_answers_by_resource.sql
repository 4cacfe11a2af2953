-- The latest answers to others of a resource, however many calls of it were refused or its owner's since.
CREATE INDEX usage_logs_answers ON x402_prompt_template_usage_logs (resource_id, at DESC)
  WHERE status = 'success' AND NOT is_test AND caller_user_id IS DISTINCT FROM owner_id AND latency_ms IS NOT NULL;
