/**
 * PostgreSQL: connections, transactions, migrations, notifications, counted limits, the embedded server.
 * Invariant: every query runs as farebox_app or farebox_system, both bound by row-level security; only migrations run as the owner.
 */
export { checkDatabase } from './check-database.ts';
export { findLeftoverPort, findRunningPostgres } from './embedded-postgres.ts';
export { choosePorts } from './free-port.ts';
export { isUp } from './is-up.ts';
export { keepSecret } from './keep-secret.ts';
export { listen } from './listen.ts';
export { assertUnlocked, lockFolder, watchFolder } from './lock-folder.ts';
export { migrate } from './migrate.ts';
export { openDatabase, surviveBroken } from './open-database.ts';
export type { Database, Tx } from './open-database.ts';
export { openLimiter } from './open-limiter.ts';
export { startDatabase } from './start-database.ts';
export { openTransact } from './transact.ts';
export type { InTransaction } from './transact.ts';
