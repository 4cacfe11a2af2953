-- What a payer has open or has let down: asked for at every claim, so it must not grow with the payer's history.
CREATE INDEX calls_exposure ON calls (payer, network, asset)
  WHERE state IN ('claimed', 'running', 'settling', 'pending', 'unpaid');
