-- Calls that are paid before their answer is complete. `fulfilling`: paid, the answer is being made. What is needed to make
-- it, in this process or another one, is stored before the money moves and forgotten with the answer.
ALTER TABLE calls
  ADD COLUMN input text,
  -- How often the answer of a paid call was begun.
  ADD COLUMN runs int NOT NULL DEFAULT 0,
  DROP CONSTRAINT calls_state_check,
  ADD CONSTRAINT calls_state_check CHECK (state IN ('claimed', 'refused', 'running', 'failed', 'settling', 'pending',
    'fulfilling', 'settled', 'unpaid', 'delivered', 'owed', 'refunded')),
  DROP CONSTRAINT calls_check,
  ADD CONSTRAINT calls_paid_check
    CHECK (state NOT IN ('fulfilling', 'settled', 'delivered', 'owed', 'refunded') OR transaction IS NOT NULL);

DROP INDEX calls_open;
CREATE INDEX calls_open ON calls (deadline)
  WHERE state IN ('claimed', 'running', 'settling', 'pending', 'fulfilling', 'settled');
CREATE INDEX calls_owed ON calls (updated_at) WHERE state = 'owed' AND input IS NOT NULL;
