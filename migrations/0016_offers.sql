-- A version carries several offers, in its creator's order of preference, and says when money moves.
-- Published versions never change (a trigger holds it), so the columns are filled while they get their type.

ALTER TABLE x402_resource_versions
  ADD COLUMN offers jsonb,
  ADD COLUMN settlement_point text NOT NULL DEFAULT 'on_success'
    CHECK (settlement_point IN ('on_success', 'at_first_output', 'upfront'));

ALTER TABLE x402_resource_versions
  ALTER COLUMN offers TYPE jsonb USING CASE
    WHEN price_atomic = 0 THEN '[]'::jsonb
    ELSE jsonb_build_array(jsonb_build_object(
      'scheme', 'exact', 'network', network, 'amountAtomic', price_atomic::text, 'payTo', pay_to))
  END;

-- Payee and network stand in the offers alone: nothing may tell two payees. The price stays a column, because lists and
-- the check for free resources read it; it is the first offer's.
ALTER TABLE x402_resource_versions
  ALTER COLUMN offers SET NOT NULL,
  DROP COLUMN network,
  DROP COLUMN pay_to,
  ADD CHECK (jsonb_typeof(offers) = 'array'),
  ADD CHECK (price_atomic = coalesce((offers #>> '{0,amountAtomic}')::numeric, 0));

CREATE INDEX x402_resource_versions_offers_idx ON x402_resource_versions USING gin (offers jsonb_path_ops)
  WHERE superseded_at IS NULL;

-- Drafts get the new fields with the values that say what they said before.
ALTER TABLE x402_resources
  ALTER COLUMN draft TYPE jsonb USING '{"furtherOffers": [], "settlementPoint": "on_success"}'::jsonb || draft;
