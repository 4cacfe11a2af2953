import { listen, type Database } from '#database/index.ts';

/** What PostgreSQL tells on the channel while `during` runs: the payloads, in their order. */
export async function hear(
  { url, system }: Pick<Database, 'url' | 'system'>,
  channel: string,
  during: () => Promise<unknown>,
): Promise<string[]> {
  const heard: string[] = [];
  const end = 'all was told';
  const told = Promise.withResolvers<void>();
  const onNotify = (_: string, payload: string): void => {
    if (payload === end) {
      told.resolve();
    } else {
      heard.push(payload);
    }
  };
  const listening = await listen({ url, channels: [channel], onNotify, onReconnect: () => {} });
  try {
    await during();
    await system.query('SELECT pg_notify($1, $2)', [channel, end]);
    await told.promise;
  } finally {
    await listening.close();
  }
  return heard;
}
