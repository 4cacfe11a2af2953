-- What a call of the version costs by its input; the amounts of its offers are then the most that it costs. NULL: the price is fixed.
ALTER TABLE x402_resource_versions ADD COLUMN price_formula jsonb CHECK (jsonb_typeof(price_formula) = 'object');

-- By what rule the use of a call is measured: the version's, and as it holds for each call, so that what is told of its cost
-- later counts too. NULL: it is not measured.
ALTER TABLE x402_resource_versions ADD COLUMN use_measure jsonb CHECK (jsonb_typeof(use_measure) = 'object');
ALTER TABLE x402_prompt_template_usage_logs ADD COLUMN measured_by jsonb CHECK (jsonb_typeof(measured_by) = 'object');
GRANT UPDATE (measured_by) ON x402_prompt_template_usage_logs TO farebox_system;
