import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

interface Listening {
  close(): Promise<void>;
}

interface ListenOptions {
  url: string;
  channels: readonly string[];
  onNotify(channel: string, payload: string): void;
  /** Called after every (re)connection: whatever was cached may have missed a notification. */
  onReconnect(): void;
  onError?: (error: Error) => void;
}

/** LISTEN on its own connection, reconnecting until closed. The first connection must succeed. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const state: { isClosed: boolean; client?: pg.Client } = { isClosed: false };
  const connect = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: options.url, application_name: 'farebox_listen' });
    client.on('notification', (message) => options.onNotify(message.channel, message.payload ?? ''));
    client.on('error', (error) => options.onError?.(error));
    await client.connect();
    for (const channel of options.channels) {
      await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    }
    client.on('end', () => void reconnect());
    state.client = client;
    options.onReconnect();
  };
  const reconnect = async (): Promise<void> => {
    while (!state.isClosed) {
      try {
        return await connect();
      } catch (error) {
        options.onError?.(error as Error);
        await wait(500);
      }
    }
  };
  await connect();
  return {
    close: async () => {
      state.isClosed = true;
      await state.client?.end();
    },
  };
}
