-- What a call of the version costs by its input; the amounts of its offers are then the most that it costs. NULL: the price is fixed.
ALTER TABLE x402_resource_versions ADD COLUMN price_formula jsonb CHECK (jsonb_typeof(price_formula) = 'object');
