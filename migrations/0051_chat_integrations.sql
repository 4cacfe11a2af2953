-- Chats that an account is told things in: a Telegram bot and a Discord webhook, as other integrations.
CREATE TABLE user_telegram_integrations (
  owner_id          text PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  id                uuid NOT NULL UNIQUE,
  label             text,
  sealed_key        bytea NOT NULL,
  key_hash          text NOT NULL,
  last_four         text NOT NULL,
  is_enabled        boolean NOT NULL,
  is_valid          boolean NOT NULL,
  snapshot          jsonb NOT NULL,
  last_checked_at   timestamptz NOT NULL,
  last_problem      text,
  refused_at        timestamptz,
  last_credit_check timestamptz,
  next_check_at     timestamptz NOT NULL,
  created_at        timestamptz NOT NULL,
  updated_at        timestamptz NOT NULL
);
CREATE INDEX user_telegram_integrations_due_idx ON user_telegram_integrations (next_check_at) WHERE is_enabled;
CREATE TABLE user_discord_integrations (LIKE user_telegram_integrations INCLUDING ALL);
ALTER TABLE user_discord_integrations ADD FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE;

DO $$
DECLARE
  connected text;
BEGIN
  FOREACH connected IN ARRAY ARRAY['user_telegram_integrations', 'user_discord_integrations'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', connected);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', connected);
    EXECUTE format('CREATE POLICY %I ON %I TO farebox_app USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id())',
      connected || '_owner', connected);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO farebox_system USING (true)', connected || '_system', connected);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO farebox_app', connected);
    EXECUTE format('GRANT SELECT ON %I TO farebox_system', connected);
  END LOOP;
END
$$;
