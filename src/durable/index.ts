/**
 * Background work that survives restarts and is shared by all processes on one PostgreSQL (DBOS Transact, schema `durable`).
 * Invariants: a tick of a schedule runs once over all processes; the run of a dead process is taken over by a living one and
 * begins again (at least once), so jobs must bear being repeated.
 */
export { openDurable } from './open-durable.ts';
export type { Durable } from './open-durable.ts';
