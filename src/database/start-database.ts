import { ensureDatabase, startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.ts';

const NAME = 'farebox';

interface StartOptions {
  folder: string;
  port: number;
  onLog?: (line: string) => void;
}

/** Starts the embedded PostgreSQL and makes sure that Farebox's database is in it. */
export async function startDatabase(options: StartOptions): Promise<{ url: string; server: EmbeddedPostgres }> {
  const server = await startEmbeddedPostgres(options);
  await ensureDatabase(server.url('postgres'), NAME).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  return { url: server.url(NAME), server };
}
