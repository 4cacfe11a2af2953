import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, newId, operation, type Caller } from '#kit/index.ts';
import { channelNames, type ChannelName, type Delivery } from './channel.ts';
import { channels } from './channels/by-name.ts';
import type { NoticesDeps } from './notices-deps.ts';
import { takeTurn } from './take-turn.ts';

const channel = z.object({
  channel: z.enum(channelNames),
  isConnected: z.boolean().describe('Connected, confirmed and switched on'),
  waiting: z.int().describe('Messages that are on their way'),
  lastSentAt: z.string().nullable(),
  lastProblem: z.string().nullable().describe('Of the newest message; null where it was sent'),
  connect: z.string().describe('How it is connected'),
});

const connects: Readonly<Record<ChannelName, string>> = {
  email: 'PUT /api/user/notices/email',
  webhook: 'PUT /api/user/notices/webhook',
  telegram: 'PUT /api/user/integrations/telegram',
  discord: 'PUT /api/user/integrations/discord',
};

interface Row {
  channel: ChannelName;
  waiting: number;
  last_sent_at: Date | null;
  last_problem: string | null;
}

export const listChannels = operation({
  name: 'notices.channels.list',
  route: 'GET /api/user/notices/channels',
  summary: 'By what you can be told beside your inbox, and how sending there went',
  scope: 'notices:read',
  input: z.object({}),
  output: z.object({ items: z.array(channel) }),
  prepare: async (deps: NoticesDeps, caller) => {
    assertUser(caller);
    const asked = channelNames.map(async (name) => {
      const connected = await channels[name].listConnected(deps, [caller.userId]);
      return connected.length > 0 ? [name] : [];
    });
    return (await Promise.all(asked)).flat();
  },
  run: async ({ tx, prepared }: NoticesDeps & InTransaction<ChannelName[]>, caller: Caller) => {
    assertUser(caller);
    const { rows } = await tx.query<Row>(
      `SELECT c.channel, waiting, last_sent_at, last_problem FROM unnest($2::text[]) AS c(channel)
       CROSS JOIN LATERAL (SELECT count(*)::int AS waiting FROM notice_messages m
         WHERE m.owner_id = $1 AND m.channel = c.channel AND m.state IN ('open', 'sending', 'waiting')) waits
       LEFT JOIN LATERAL (SELECT updated_at AS last_sent_at FROM notice_messages m
         WHERE m.owner_id = $1 AND m.channel = c.channel AND m.state = 'sent' ORDER BY due_at DESC LIMIT 1) sent ON true
       LEFT JOIN LATERAL (SELECT problem AS last_problem FROM notice_messages m
         WHERE m.owner_id = $1 AND m.channel = c.channel AND m.attempts > 0 AND m.state <> 'sending'
         ORDER BY due_at DESC LIMIT 1) tried ON true`,
      [caller.userId, channelNames],
    );
    const found = new Map(rows.map((row) => [row.channel, row]));
    const items = channelNames.map((name) => {
      const row = found.get(name);
      return {
        channel: name,
        isConnected: prepared.includes(name),
        waiting: row?.waiting ?? 0,
        lastSentAt: row?.last_sent_at?.toISOString() ?? null,
        lastProblem: row?.last_problem ?? null,
        connect: connects[name],
      };
    });
    return { items };
  },
});

export const testChannel = operation({
  name: 'notices.channels.test',
  route: 'POST /api/user/notices/channels/:channel/test',
  summary: 'Send a test by a channel at once and say how that went',
  scope: 'notices:write',
  input: z.object({ channel: z.enum(channelNames) }),
  output: z.object({ ok: z.boolean(), problem: z.string().nullable() }),
  // The channel is asked before the transaction.
  prepare: async (deps: NoticesDeps, caller, { channel: name }) => {
    assertUser(caller);
    await takeTurn(deps.limits.tests, caller.userId);
    return channels[name].send(deps, { id: newId(), ownerId: caller.userId, notices: [], isTest: true });
  },
  run: async ({ prepared }: NoticesDeps & InTransaction<Delivery>, _caller: Caller, { channel: name }) => {
    const { status } = prepared;
    const problem =
      prepared.status === 'failed'
        ? prepared.problem
        : status === 'disconnected'
          ? `It is not connected, not confirmed or switched off: GET /api/user/notices/channels and GET of its address tell which. Connect it with ${connects[name]}${name === 'email' ? ', and confirm it with the code that was mailed: POST /api/user/notices/email/confirm' : ''}.`
          : null;
    return { ok: status === 'sent', problem };
  },
});
