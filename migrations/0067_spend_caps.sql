-- What creators are willing to spend in a day, by UTC, and what is spent. A call is held at the most that it may cost before its payment
-- may move; the log then decides what it did cost, whenever that is told.

CREATE TABLE spend_caps (
  id          uuid PRIMARY KEY,
  owner_id    text NOT NULL,
  scope       text NOT NULL CHECK (scope IN ('key', 'resource', 'payer')),
  -- Of a resource its id, of a payer the address; '*': each of them by itself. '' of the key.
  subject     text NOT NULL,
  per_day_usd numeric NOT NULL CHECK (per_day_usd >= 0),
  UNIQUE (owner_id, scope, subject),
  CHECK ((scope = 'key') = (subject = ''))
);

CREATE TABLE spend_days (
  cap_id   uuid NOT NULL REFERENCES spend_caps ON DELETE CASCADE,
  owner_id text NOT NULL,
  -- Whom it is counted for: never '*'.
  subject  text NOT NULL,
  day      date NOT NULL,
  usd      numeric NOT NULL,
  PRIMARY KEY (cap_id, subject, day)
);

-- What each call counts with.
CREATE TABLE spend_runs (
  call_id  uuid NOT NULL,
  cap_id   uuid NOT NULL REFERENCES spend_caps ON DELETE CASCADE,
  owner_id text NOT NULL,
  subject  text NOT NULL,
  day      date NOT NULL,
  usd      numeric NOT NULL,
  PRIMARY KEY (call_id, cap_id)
);
CREATE INDEX spend_runs_day ON spend_runs (day);
CREATE INDEX spend_runs_cap ON spend_runs (cap_id);

DO $$
DECLARE
  counted text;
BEGIN
  FOREACH counted IN ARRAY ARRAY['spend_caps', 'spend_days', 'spend_runs'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', counted);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', counted);
    EXECUTE format('CREATE POLICY %I ON %I TO farebox_app USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id())',
      counted || '_owner', counted);
    EXECUTE format('CREATE POLICY %I ON %I TO farebox_system USING (true) WITH CHECK (true)', counted || '_system', counted);
    EXECUTE format('GRANT SELECT ON %I TO farebox_app', counted);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO farebox_system', counted);
  END LOOP;
END
$$;
GRANT INSERT, UPDATE, DELETE ON spend_caps TO farebox_app;

-- The caps that a call counts for, and in whose name.
CREATE FUNCTION spend_caps_of(owner text, resource uuid, wallet text)
RETURNS TABLE (cap_id uuid, counted_for text, most numeric) LANGUAGE sql STABLE AS $$
  SELECT id, CASE scope WHEN 'key' THEN '' WHEN 'resource' THEN resource::text ELSE wallet END, per_day_usd
  FROM spend_caps
  WHERE owner_id = owner AND (scope = 'key' OR scope = 'resource' AND subject IN (resource::text, '*')
    OR scope = 'payer' AND wallet IS NOT NULL AND subject IN (wallet, '*'))
  ORDER BY id
$$;

-- What counts for one creator is counted in turn, so that calls of several processes never wait for each other in a circle, whatever
-- caps, wallets and resources they have in common. What a cap itself is changed under is the same lock.
CREATE FUNCTION lock_spend(owner text) RETURNS void LANGUAGE sql AS $$
  SELECT pg_advisory_xact_lock(hashtextextended('spend_caps:' || owner, 0))
$$;

-- Holds a call at its worst under all of its caps, or under none: then it tells the one that has no room left.
CREATE FUNCTION hold_spend(call uuid, owner text, resource uuid, wallet text, worst numeric) RETURNS uuid LANGUAGE plpgsql AS $$
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

-- What the log says that a call did cost counts instead of what it was held at, on the day of the call. A cost that nobody told leaves
-- the worst, and so, or more, does that of one of its runs which is asked for. What fell to the operator's key is not the creator's.
CREATE FUNCTION count_spend(logged x402_prompt_template_usage_logs) RETURNS void LANGUAGE plpgsql AS $$
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

CREATE FUNCTION note_spend() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM spend_caps WHERE owner_id = NEW.owner_id) THEN
    PERFORM lock_spend(NEW.owner_id);
    PERFORM count_spend(NEW);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER note_spend AFTER INSERT OR UPDATE ON x402_prompt_template_usage_logs
  FOR EACH ROW EXECUTE FUNCTION note_spend();

-- Calls that are not run after all.
CREATE FUNCTION release_spend(calls uuid[]) RETURNS void LANGUAGE plpgsql AS $$
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
