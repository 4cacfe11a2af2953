-- What accounts are told, and how it gets to them.

-- The inbox. `occasion` tells apart what is told of one subject at different times, so that it is told once however often
-- it is found.
CREATE TABLE notices (
  id         uuid PRIMARY KEY,
  owner_id   text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  event      text NOT NULL CHECK (char_length(event) BETWEEN 1 AND 60),
  severity   text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
  subject    text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 300),
  occasion   text NOT NULL CHECK (char_length(occasion) BETWEEN 1 AND 200),
  title      text NOT NULL,
  body       text NOT NULL,
  data       jsonb NOT NULL,
  -- Has it been given to the channels of its owner?
  is_spread  boolean NOT NULL DEFAULT false,
  read_at    timestamptz,
  created_at timestamptz NOT NULL,
  UNIQUE (owner_id, event, subject, occasion)
);
CREATE INDEX notices_inbox ON notices (owner_id, id DESC);
CREATE INDEX notices_unread ON notices (owner_id, id DESC) WHERE read_at IS NULL;
CREATE INDEX notices_unspread ON notices (id) WHERE NOT is_spread;
CREATE INDEX notices_age ON notices (created_at);

-- How far something has come, such as the used share of a limit: 0 where nothing is to be told. Each fall begins a new
-- episode, in which what is reached again is told again.
CREATE TABLE notice_states (
  owner_id   text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  event      text NOT NULL,
  subject    text NOT NULL,
  level      integer NOT NULL CHECK (level >= 0),
  episode    integer NOT NULL DEFAULT 1,
  -- What the next look has to know of this one.
  facts      jsonb,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (owner_id, event, subject)
);
CREATE INDEX notice_states_event ON notice_states (event) WHERE level > 0;

-- Only what differs from the default.
CREATE TABLE notice_preferences (
  owner_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  event    text NOT NULL,
  channel  text NOT NULL,
  is_on    boolean NOT NULL,
  PRIMARY KEY (owner_id, event, channel)
);

-- What is on its way. An open message takes up further notices until it is due; then it is claimed by one process, which is
-- lost at next_at unless it has told how that ended.
CREATE TABLE notice_messages (
  id         uuid PRIMARY KEY,
  owner_id   text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  channel    text NOT NULL,
  notice_ids uuid[] NOT NULL CHECK (cardinality(notice_ids) > 0),
  state      text NOT NULL CHECK (state IN ('open', 'sending', 'waiting', 'sent', 'given_up')),
  attempts   integer NOT NULL DEFAULT 0,
  -- When it may leave by the pace of its channel.
  due_at     timestamptz NOT NULL,
  next_at    timestamptz NOT NULL,
  problem    text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX notice_messages_open ON notice_messages (owner_id, channel) WHERE state = 'open';
CREATE INDEX notice_messages_due ON notice_messages (next_at) WHERE state IN ('open', 'sending', 'waiting');
CREATE INDEX notice_messages_pace ON notice_messages (owner_id, channel, due_at DESC);
CREATE INDEX notice_messages_ended ON notice_messages (updated_at) WHERE state IN ('sent', 'given_up');

-- Nothing but the code goes to an address whose owner has not sent the code back.
CREATE TABLE notice_emails (
  owner_id        text PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  address         text NOT NULL CHECK (char_length(address) <= 254),
  is_enabled      boolean NOT NULL,
  verified_at     timestamptz,
  code_hash       text,
  code_expires_at timestamptz,
  code_attempts   integer NOT NULL DEFAULT 0,
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL
);

CREATE TABLE notice_webhooks (
  owner_id      text PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  url           text NOT NULL CHECK (char_length(url) <= 2048),
  sealed_secret bytea NOT NULL,
  last_four     text NOT NULL,
  is_enabled    boolean NOT NULL,
  created_at    timestamptz NOT NULL,
  updated_at    timestamptz NOT NULL
);

-- Of the sandbox, which sends no mail: what it would have sent, for the account that it was sent for.
CREATE TABLE notice_mails (
  id         uuid PRIMARY KEY,
  owner_id   text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  recipient  text NOT NULL,
  subject    text NOT NULL,
  text       text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX notice_mails_owner ON notice_mails (owner_id, id DESC);
CREATE INDEX notice_mails_age ON notice_mails (created_at);

DO $$
DECLARE
  owned text;
BEGIN
  FOREACH owned IN ARRAY ARRAY['notices', 'notice_states', 'notice_preferences', 'notice_messages', 'notice_emails',
    'notice_webhooks', 'notice_mails'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format('CREATE POLICY %I ON %I TO farebox_app USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id())',
      owned || '_owner', owned);
    EXECUTE format('CREATE POLICY %I ON %I TO farebox_system USING (true) WITH CHECK (true)', owned || '_system', owned);
    EXECUTE format('GRANT SELECT ON %I TO farebox_app', owned);
    EXECUTE format('GRANT SELECT ON %I TO farebox_system', owned);
  END LOOP;
END
$$;
-- A key that is refused, and what was paused for it, is told in the transaction of its owner.
GRANT INSERT ON notices, notice_states TO farebox_app, farebox_system;
GRANT UPDATE (read_at) ON notices TO farebox_app;
GRANT UPDATE (is_spread) ON notices TO farebox_system;
GRANT DELETE ON notices, notice_states, notice_messages, notice_mails TO farebox_system;
GRANT UPDATE ON notice_states TO farebox_app, farebox_system;
GRANT INSERT, UPDATE, DELETE ON notice_preferences TO farebox_app;
GRANT INSERT, UPDATE ON notice_messages TO farebox_system;
GRANT INSERT, UPDATE, DELETE ON notice_emails, notice_webhooks TO farebox_app;
GRANT INSERT ON notice_mails TO farebox_system;
