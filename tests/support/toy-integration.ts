import pg from 'pg';
import { z } from 'zod';
import type { IntegrationService, ProviderAnswer } from '#integrations/index.ts';

const given = z.object({ room: z.string().min(1), token: z.string().regex(/^[\x21-\x7e]{8,}$/) });
const shown = z.object({ room: z.string(), members: z.int() });

export type ToyGiven = z.output<typeof given>;

/** A chat room as a service: what is given is more than the secret, and a part of it is shown. */
export function openToyService(ask: (sent: ToyGiven) => Promise<ProviderAnswer>) {
  const service: IntegrationService<ToyGiven, z.output<typeof shown>> = {
    name: 'toy',
    provider: 'Toychat',
    credential: 'token',
    remedy: 'Ask the bot for one.',
    table: 'user_toy_integrations',
    given,
    shown,
    toKey: ({ token }) => token,
    toGiven: (token, { room }) => ({ token, room }),
    isSpent: ({ members }) => members === 0,
    check: (_clients, sent) => ask(sent),
  };
  return service;
}

/** What the migration of such a service does. */
const toyMigration = `
  CREATE TABLE user_toy_integrations (LIKE user_openrouter_integrations INCLUDING ALL);
  ALTER TABLE user_toy_integrations ADD FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE;
  ALTER TABLE user_toy_integrations ENABLE ROW LEVEL SECURITY;
  ALTER TABLE user_toy_integrations FORCE ROW LEVEL SECURITY;
  CREATE POLICY user_toy_integrations_owner ON user_toy_integrations TO farebox_app
    USING (owner_id = app_user_id()) WITH CHECK (owner_id = app_user_id());
  CREATE POLICY user_toy_integrations_system ON user_toy_integrations FOR SELECT TO farebox_system USING (true);
  GRANT SELECT, INSERT, UPDATE, DELETE ON user_toy_integrations TO farebox_app;
  GRANT SELECT ON user_toy_integrations TO farebox_system;`;

export async function migrateToyService(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(toyMigration);
  } finally {
    await client.end();
  }
}
