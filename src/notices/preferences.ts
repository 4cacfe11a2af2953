import { z } from 'zod';
import type { InTransaction, Tx } from '#database/index.ts';
import { assertUser, operation, type Caller } from '#kit/index.ts';
import { channelNames } from './channel.ts';
import { eventNames } from './event.ts';

const places = ['inbox', ...channelNames] as const;
const choices = z.object({
  inbox: z.boolean(),
  email: z.boolean(),
  webhook: z.boolean(),
  telegram: z.boolean(),
  discord: z.boolean(),
});
const preferences = z.record(z.enum(eventNames), choices);
const output = z.object({
  preferences: preferences.describe(
    'For each event, where you are told of it. A channel tells only while it is connected.',
  ),
});

type Preferences = z.output<typeof preferences>;

export const getPreferences = operation({
  name: 'notices.preferences.get',
  route: 'GET /api/user/notices/preferences',
  summary: 'Of which events you are told, and where; everything and everywhere unless you chose otherwise',
  scope: 'notices:read',
  input: z.object({}),
  output,
  run: async ({ tx }: InTransaction, caller: Caller) => {
    assertUser(caller);
    return { preferences: await readPreferences(tx, caller.userId) };
  },
});

export const putPreferences = operation({
  name: 'notices.preferences.put',
  route: 'PUT /api/user/notices/preferences',
  summary: 'Choose of which events you are told, and where; what you do not name stays as it is',
  scope: 'notices:write',
  input: z.object({
    preferences: z
      .partialRecord(z.enum(eventNames), choices.partial())
      .describe('Such as {"resource_resumed": {"email": false}}'),
  }),
  output,
  run: async ({ tx }: InTransaction, caller: Caller, chosen) => {
    assertUser(caller);
    const rows = Object.entries(chosen.preferences).flatMap(([event, byPlace]) =>
      Object.entries(byPlace ?? {}).map(([channel, isOn]) => ({ event, channel, is_on: isOn })),
    );
    await tx.query(
      `INSERT INTO notice_preferences (owner_id, event, channel, is_on)
       SELECT $1, event, channel, is_on FROM jsonb_to_recordset($2::jsonb) AS x(event text, channel text, is_on boolean)
       ON CONFLICT (owner_id, event, channel) DO UPDATE SET is_on = excluded.is_on`,
      [caller.userId, JSON.stringify(rows)],
    );
    return { preferences: await readPreferences(tx, caller.userId) };
  },
});

async function readPreferences(tx: Tx, ownerId: string): Promise<Preferences> {
  const { rows } = await tx.query<{ name: string }>(
    `SELECT event || ' ' || channel AS name FROM notice_preferences WHERE owner_id = $1 AND NOT is_on`,
    [ownerId],
  );
  const off = new Set(rows.map(({ name }) => name));
  const ofEvent = (event: string) => Object.fromEntries(places.map((place) => [place, !off.has(`${event} ${place}`)]));
  return Object.fromEntries(eventNames.map((event) => [event, ofEvent(event)])) as Preferences;
}
