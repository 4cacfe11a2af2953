/**
 * PostgreSQL: connections, transactions, migrations, notifications, the embedded server.
 * Invariant: every query runs as farebox_app or farebox_system, both bound by row-level security; only migrations run as the owner.
 */
export { ensureDatabase, startEmbeddedPostgres } from './embedded-postgres.ts';
export type { EmbeddedPostgres } from './embedded-postgres.ts';
export { listen } from './listen.ts';
export { migrate } from './migrate.ts';
export { openDatabase } from './open-database.ts';
export type { Database, Tx } from './open-database.ts';
