-- A payment names what makes it unique and when it ends; what its payer signed is its payload, which only its scheme reads.
ALTER TABLE calls RENAME COLUMN nonce TO uniqueness_key;
ALTER TABLE calls RENAME COLUMN valid_before TO expires_at;

-- Payments of open and kept calls in their new form. Those whose signature was deleted after the retention have no payload.
UPDATE calls SET payment = jsonb_strip_nulls(jsonb_build_object(
    'x402Version', payment->'x402Version',
    'scheme', payment->'scheme',
    'network', payment->'network',
    'asset', asset,
    'payer', payment->'payer',
    'uniquenessKey', payment->'nonce',
    'maxAmountAtomic', payment->'authorization'->'value',
    'expiresAt', floor(extract(epoch FROM expires_at))::bigint,
    'raw', payment->'raw'
  ))
  || CASE WHEN payment ? 'accepted' THEN jsonb_build_object('accepted', payment->'accepted') ELSE '{}' END
  || CASE WHEN payment ? 'signature' AND payment ? 'authorization'
       THEN jsonb_build_object('payload', jsonb_build_object(
         'signature', payment->'signature', 'authorization', payment->'authorization'))
       ELSE '{}' END
  WHERE payment ? 'authorization';

-- On EVM all is written in lower case; other networks write addresses and transactions as they like.
ALTER TABLE ledger_entries
  DROP CONSTRAINT ledger_entries_account_check,
  DROP CONSTRAINT ledger_entries_asset_check,
  DROP CONSTRAINT ledger_entries_transaction_check,
  ADD CONSTRAINT ledger_entries_written CHECK (
    account ~ '^(buyer|creator):[^\s:]{1,128}$' AND asset ~ '^\S{1,128}$' AND transaction ~ '^\S{1,128}$'
  ),
  ADD CONSTRAINT ledger_entries_written_on_evm CHECK (
    network !~ '^eip155:' OR (
      account ~ '^(buyer|creator):0x[0-9a-f]{40}$' AND asset ~ '^0x[0-9a-f]{40}$' AND transaction ~ '^0x[0-9a-f]{64}$'
    )
  );
