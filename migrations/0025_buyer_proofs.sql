-- SHA-256 of each secret that shows its sender to be the buyer of this call: once a payment is settled, the chain shows the
-- payment itself. Calls from before have none; a signature by the wallet that paid shows it for them.
ALTER TABLE calls ADD COLUMN buyer_proofs text[] NOT NULL DEFAULT '{}';
