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

/** LISTEN on its own connection, reconnecting until closed. */
export async function listen(options: ListenOptions): Promise<Listening> {
  let closed = false;
  let client: pg.Client | undefined;
  const connect = async (): Promise<void> => {
    const next = new pg.Client({ connectionString: options.url, application_name: 'farebox_listen' });
    next.on('notification', (message) => options.onNotify(message.channel, message.payload ?? ''));
    next.on('error', (error) => options.onError?.(error));
    next.on('end', () => void reconnect());
    await next.connect();
    for (const channel of options.channels) {
      await next.query(`LISTEN ${next.escapeIdentifier(channel)}`);
    }
    client = next;
    options.onReconnect();
  };
  const reconnect = async (): Promise<void> => {
    while (!closed) {
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
      closed = true;
      await client?.end();
    },
  };
}
