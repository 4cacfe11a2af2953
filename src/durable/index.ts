/**
 * Background work that survives restarts and is shared by all processes on one PostgreSQL (DBOS Transact, schema `durable`).
 * Invariants: a tick of a schedule and an enqueued id run once over all processes; a step that has finished is not run again;
 * a step that was cut off is run again from its beginning (at least once), so steps must be idempotent;
 * work of a dead process is taken over by a living one.
 */
export { openDurable } from './open-durable.ts';
export type { Durable } from './open-durable.ts';
