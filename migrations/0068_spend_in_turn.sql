-- Spend caps: what counts for one creator is counted in turn, so that calls of several processes never wait for each other in a circle,
-- whatever caps, wallets and resources they have in common. What a cap itself is changed under is the same lock.

CREATE FUNCTION lock_spend(owner text) RETURNS void LANGUAGE sql AS $$
  SELECT pg_advisory_xact_lock(hashtextextended('spend_caps:' || owner, 0))
$$;

CREATE OR REPLACE FUNCTION hold_spend(call uuid, owner text, resource uuid, wallet text, worst numeric) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  cap record;
  full_cap uuid;
  today CONSTANT date := (now() AT TIME ZONE 'UTC')::date;
BEGIN
  IF NOT EXISTS (SELECT FROM spend_caps WHERE owner_id = owner) THEN
    RETURN NULL;
  END IF;
  PERFORM lock_spend(owner);
  FOR cap IN SELECT * FROM spend_caps_of(owner, resource, wallet) LOOP
    INSERT INTO spend_days AS counted (cap_id, owner_id, subject, day, usd)
    SELECT cap.cap_id, owner, cap.counted_for, today, worst WHERE worst <= cap.most
    ON CONFLICT (cap_id, subject, day) DO UPDATE SET usd = counted.usd + worst WHERE counted.usd + worst <= cap.most;
    IF NOT FOUND THEN
      full_cap := cap.cap_id;
      RAISE EXCEPTION USING ERRCODE = 'FB402';
    END IF;
    INSERT INTO spend_runs (call_id, cap_id, owner_id, subject, day, usd)
    VALUES (call, cap.cap_id, owner, cap.counted_for, today, worst);
  END LOOP;
  RETURN NULL;
EXCEPTION WHEN SQLSTATE 'FB402' THEN
  RETURN full_cap;
END
$$;

-- While the cost of one of its runs is asked for, or was told by nobody, a call counts with what it was held at, or more.
CREATE OR REPLACE FUNCTION count_spend(logged x402_prompt_template_usage_logs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  cap record;
  held spend_runs;
  cost numeric;
BEGIN
  FOR cap IN SELECT * FROM spend_caps_of(logged.owner_id, logged.resource_id, logged.payer) LOOP
    SELECT * INTO held FROM spend_runs run WHERE run.call_id = logged.call_id AND run.cap_id = cap.cap_id FOR UPDATE;
    cost := CASE WHEN logged.status = 'refused' OR logged.key_source = 'platform' THEN 0
      WHEN logged.cost_state IN ('asked', 'unknown') THEN greatest(logged.cost_usd, held.usd, 0)
      ELSE coalesce(logged.cost_usd, held.usd, 0) END;
    INSERT INTO spend_runs AS run (call_id, cap_id, owner_id, subject, day, usd)
    VALUES (logged.call_id, cap.cap_id, logged.owner_id, cap.counted_for, (logged.at AT TIME ZONE 'UTC')::date, cost)
    ON CONFLICT (call_id, cap_id) DO UPDATE SET usd = excluded.usd;
    INSERT INTO spend_days AS counted (cap_id, owner_id, subject, day, usd)
    VALUES (cap.cap_id, logged.owner_id, cap.counted_for, coalesce(held.day, (logged.at AT TIME ZONE 'UTC')::date),
      cost - coalesce(held.usd, 0))
    ON CONFLICT (cap_id, subject, day) DO UPDATE SET usd = counted.usd + excluded.usd;
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION note_spend() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM spend_caps WHERE owner_id = NEW.owner_id) THEN
    PERFORM lock_spend(NEW.owner_id);
    PERFORM count_spend(NEW);
  END IF;
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION release_spend(calls uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  owner text;
BEGIN
  FOR owner IN SELECT DISTINCT owner_id FROM spend_runs WHERE call_id = ANY (calls) ORDER BY owner_id LOOP
    PERFORM lock_spend(owner);
  END LOOP;
  WITH held AS (
    SELECT cap_id, subject, day, sum(usd) AS usd FROM spend_runs WHERE call_id = ANY (calls) GROUP BY cap_id, subject, day),
  emptied AS (
    UPDATE spend_runs SET usd = 0 WHERE call_id = ANY (calls))
  UPDATE spend_days counted SET usd = counted.usd - held.usd FROM held
  WHERE counted.cap_id = held.cap_id AND counted.subject = held.subject AND counted.day = held.day;
END
$$;

-- Nothing asks for it.
DROP INDEX spend_runs_open;
ALTER TABLE spend_runs DROP COLUMN is_open;
