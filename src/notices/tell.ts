import type { Tx } from '#database/index.ts';
import { newId, type Clock } from '#kit/index.ts';
import { describeEvent, type EventData, type EventName } from './event.ts';
import { toLines } from './to-lines.ts';

const MAX_SUBJECT = 300;

export interface Told<Name extends EventName = EventName> {
  ownerId: string;
  /** What it is about, such as the id of a resource or a model. */
  subject: string;
  /** Tells apart what is told of one subject at different times. */
  occasion: string;
  data: EventData[Name];
}

/** How far something has come; what is not worth telling yet has the level 0. */
export interface Observation<Name extends EventName = EventName> {
  ownerId: string;
  subject: string;
  level: number;
  /** A function is asked only for what is told. */
  data: EventData[Name] | (() => Promise<EventData[Name]>);
  /** For the next look. */
  facts?: object;
}

type Executor = Pick<Tx, 'query'>;

const INSERT = `
  INSERT INTO notices (id, owner_id, event, severity, subject, occasion, title, body, data, created_at)
  SELECT id, owner_id, $1, severity, subject, occasion, title, body, data, $2
  FROM jsonb_to_recordset($3::jsonb) AS x(id uuid, owner_id text, severity text, subject text, occasion text, title text,
    body text, data jsonb)
  ON CONFLICT (owner_id, event, subject, occasion) DO NOTHING`;

/**
 * Puts notices into inboxes, in the transaction of their cause where there is one. The same occasion told again, also by
 * another process, is told once. Works for a user's own notices and with the rights of the system. @returns how many are new.
 */
export async function tell<Name extends EventName>(
  { tx, clock }: { tx: Executor; clock: Clock },
  event: Name,
  told: readonly Told<Name>[],
): Promise<number> {
  if (told.length === 0) {
    return 0;
  }
  const rows = told.map(({ ownerId, subject, occasion, ...given }) => {
    const data = toLines(given.data);
    return {
      id: newId(),
      owner_id: ownerId,
      subject: toSubject(subject),
      occasion,
      data,
      ...describeEvent(event, data),
    };
  });
  const { rowCount } = await tx.query(INSERT, [event, new Date(clock.now()), JSON.stringify(rows)]);
  return rowCount ?? 0;
}

const NOTE = `
  WITH seen AS (
    SELECT * FROM jsonb_to_recordset($2::jsonb) AS x(owner_id text, subject text, level integer, facts jsonb)),
  before AS MATERIALIZED (
    SELECT s.owner_id, s.subject, s.level FROM notice_states s JOIN seen USING (owner_id, subject) WHERE s.event = $1),
  noted AS (
    INSERT INTO notice_states AS s (owner_id, event, subject, level, facts, updated_at)
    SELECT owner_id, $1, subject, level, facts, $3 FROM seen
    ON CONFLICT (owner_id, event, subject) DO UPDATE SET level = excluded.level, facts = excluded.facts,
      episode = s.episode + (s.level > excluded.level)::int, updated_at = excluded.updated_at
      WHERE (s.level, s.facts) IS DISTINCT FROM (excluded.level, excluded.facts)
    RETURNING owner_id, subject, level, episode)
  SELECT n.owner_id AS "ownerId", n.subject, n.level, n.episode
  FROM noted n LEFT JOIN before b USING (owner_id, subject) WHERE n.level > coalesce(b.level, 0)`;

const LOWER_OTHERS = `
  UPDATE notice_states s SET level = 0, episode = episode + 1, updated_at = $3
  WHERE s.event = $1 AND s.level > 0 AND NOT EXISTS (
    SELECT FROM jsonb_to_recordset($2::jsonb) AS x(owner_id text, subject text)
    WHERE x.owner_id = s.owner_id AND x.subject = s.subject)`;

interface Risen {
  ownerId: string;
  subject: string;
  level: number;
  episode: number;
}

/**
 * Tells what has risen since the last look. What has fallen is told again when it rises again. `isWhole`: these are all
 * subjects of the event that there are, and what is not among them has fallen to nothing. Whole looks at one event come one
 * after the other when they are made inside `lookAt`. @returns how many notices are new.
 */
export async function observe<Name extends EventName>(
  deps: { tx: Executor; clock: Clock },
  event: Name,
  { seen, isWhole }: { seen: readonly Observation<Name>[]; isWhole: boolean },
): Promise<number> {
  const { tx, clock } = deps;
  const cut = seen.map((one) => ({ ...one, subject: toSubject(one.subject) }));
  const json = JSON.stringify(
    cut.map(({ ownerId, subject, level, facts }) => ({ owner_id: ownerId, subject, level, facts: facts ?? null })),
  );
  const values = [event, json, new Date(clock.now())];
  const { rows } = await tx.query<Risen>(NOTE, values);
  if (isWhole) {
    await tx.query(LOWER_OTHERS, values);
  }
  const dataOf = new Map(cut.map(({ ownerId, subject, data }) => [`${ownerId} ${subject}`, data]));
  const told: Told<Name>[] = [];
  for (const { ownerId, subject, level, episode } of rows) {
    const data = dataOf.get(`${ownerId} ${subject}`);
    if (data !== undefined) {
      const known = typeof data === 'function' ? await data() : data;
      told.push({ ownerId, subject, occasion: `${episode}:${level}`, data: known });
    }
  }
  return tell(deps, event, told);
}

function toSubject(text: string): string {
  return toLines(text).slice(0, MAX_SUBJECT).toWellFormed();
}

/** What earlier looks have kept, by owner and subject. */
export async function readFacts(tx: Executor, event: EventName): Promise<ReadonlyMap<string, unknown>> {
  const { rows } = await tx.query<{ name: string; facts: unknown }>(
    `SELECT owner_id || ' ' || subject AS name, facts FROM notice_states WHERE event = $1 AND facts IS NOT NULL`,
    [event],
  );
  return new Map(rows.map(({ name, facts }) => [name, facts]));
}

/** One look at an event at a time, over all processes: what is seen inside is newer than what the look before it saw. */
export async function lockEvent(tx: Executor, event: EventName): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`farebox.notices.${event}`]);
}
