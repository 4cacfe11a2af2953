import { z } from 'zod';
import type { InTransaction, Tx } from '#database/index.ts';
import { assertUser, operation, type Caller } from '#kit/index.ts';
import type { ChannelName } from './channel.ts';
import { eventNames } from './event.ts';

type Place = 'inbox' | ChannelName;
const event = z.enum(eventNames);
const choices = z.object({
  inbox: z.boolean(),
  email: z.boolean(),
  webhook: z.boolean(),
  telegram: z.boolean(),
  discord: z.boolean(),
});
const output = z.object({
  items: z
    .array(choices.extend({ event }))
    .describe('For each event, where you are told of it. A channel tells only while it is connected.'),
});

type Preferences = z.output<typeof output>;

export const getPreferences = operation({
  name: 'notices.preferences.get',
  route: 'GET /api/user/notices/preferences',
  summary: 'Of which events you are told, and where; everything and everywhere unless you chose otherwise',
  scope: 'notices:read',
  input: z.object({}),
  output,
  run: async ({ tx }: InTransaction, caller: Caller) => {
    assertUser(caller);
    return readPreferences(tx, caller.userId);
  },
});

export const putPreferences = operation({
  name: 'notices.preferences.put',
  route: 'PUT /api/user/notices/preferences',
  summary: 'Choose of which events you are told, and where; what you do not name stays as it is',
  scope: 'notices:write',
  input: z.object({
    items: z
      .array(choices.partial().extend({ event }))
      .min(1)
      .max(eventNames.length)
      .describe('Such as [{"event": "resource_resumed", "email": false}]'),
  }),
  output,
  run: async ({ tx }: InTransaction, caller: Caller, { items }) => {
    assertUser(caller);
    // Of what is named twice the last counts.
    const chosen = new Map(
      items.flatMap(({ event: name, ...byPlace }) =>
        Object.entries(byPlace).map(([channel, isOn]) => [`${name} ${channel}`, { event: name, channel, is_on: isOn }]),
      ),
    );
    const rows = [...chosen.values()];
    await tx.query(
      `INSERT INTO notice_preferences (owner_id, event, channel, is_on)
       SELECT $1, event, channel, is_on FROM jsonb_to_recordset($2::jsonb) AS x(event text, channel text, is_on boolean)
       ON CONFLICT (owner_id, event, channel) DO UPDATE SET is_on = excluded.is_on`,
      [caller.userId, JSON.stringify(rows)],
    );
    return readPreferences(tx, caller.userId);
  },
});

async function readPreferences(tx: Tx, ownerId: string): Promise<Preferences> {
  const { rows } = await tx.query<{ name: string }>(
    `SELECT event || ' ' || channel AS name FROM notice_preferences WHERE owner_id = $1 AND NOT is_on`,
    [ownerId],
  );
  const off = new Set(rows.map(({ name }) => name));
  const items = eventNames.map((name) => {
    const isOn = (place: Place): boolean => !off.has(`${name} ${place}`);
    return {
      event: name,
      inbox: isOn('inbox'),
      email: isOn('email'),
      webhook: isOn('webhook'),
      telegram: isOn('telegram'),
      discord: isOn('discord'),
    };
  });
  return { items };
}
