-- How often a settlement was tried in vain, so that neither gas nor questions to the chain are spent without end.
ALTER TABLE calls
  -- Transactions that were mined for this call alone without moving the money.
  ADD COLUMN settle_attempts int NOT NULL DEFAULT 0,
  -- Times that the pending call was due: the pause before the next one doubles.
  ADD COLUMN resolve_tries int NOT NULL DEFAULT 0,
  ADD COLUMN looked_up_at timestamptz;

CREATE INDEX calls_pending ON calls (deadline) WHERE state = 'pending';

-- What is still to be forgotten of calls that have ended: answers, payments that could still be sent, released claims.
DROP INDEX calls_kept_answers;
CREATE INDEX calls_kept ON calls (coalesce(settled_at, updated_at))
  WHERE (answer IS NOT NULL OR payment ? 'raw') AND state IN ('delivered', 'owed', 'refunded', 'unpaid', 'refused', 'failed');
CREATE INDEX calls_released ON calls (updated_at) WHERE state IN ('refused', 'failed');
