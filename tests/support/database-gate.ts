import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { When } from './http-gate.ts';

export interface DatabaseGate {
  /** Connection string through the gate. */
  url: string;
  /**
   * Holds the first message that matches, and all that follows on its connection. `before`: PostgreSQL does not see it;
   * `after`: PostgreSQL has carried it out, and its reply does not come back. Resolves when that stands there.
   * `transaction` is what the connection sent since its last BEGIN.
   */
  hold(matches: (message: string, transaction: string) => boolean, when: When): Promise<void>;
  /** Calls back once after so many messages from now on: a moment that depends on the work, not on a clock. */
  afterMessages(count: number, run: () => void): void;
  open(): void;
  /** Sends on what was held, in both directions, and holds nothing more. */
  deliverLate(): void;
  /** Down: what is connected is cut off, and nobody gets in. */
  setDown(isDown: boolean): void;
  close(): Promise<void>;
}

interface Rule {
  matches(message: string, transaction: string): boolean;
  when: When;
  reached(): void;
}

/** A proxy in front of PostgreSQL at which a test can stop a statement or its reply. */
export async function startDatabaseGate(databaseUrl: string): Promise<DatabaseGate> {
  const target = new URL(databaseUrl);
  const state = { rules: [] as Rule[], countdown: 0, run: () => {}, isDown: false };
  const deliveries = new Set<() => void>();
  const sockets = new Set<Socket>();
  const take = (message: string, transaction: string): Rule | undefined => {
    const rule = state.rules.find((one) => one.matches(message, transaction));
    state.rules = state.rules.filter((one) => one !== rule);
    return rule;
  };
  const count = (): void => {
    state.countdown -= 1;
    if (state.countdown === 0) {
      state.run();
    }
  };
  const server = createServer((client) => {
    if (state.isDown) {
      client.destroy();
      return;
    }
    const database = connect(Number(target.port || 5432), target.hostname);
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        deliveries.delete(deliver);
        client.destroy();
        database.destroy();
      });
    }
    const deliver = join({ client, database, take, count });
    deliveries.add(deliver);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(databaseUrl);
  through.hostname = '127.0.0.1';
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    hold: (matches, when) =>
      new Promise((resolve) => {
        state.rules.push({ matches, when, reached: resolve });
      }),
    afterMessages: (countdown, run) => {
      Object.assign(state, { countdown, run });
    },
    open: () => {
      state.rules = [];
    },
    deliverLate: () => {
      state.rules = [];
      deliveries.forEach((deliver) => deliver());
    },
    setDown: (isDown) => {
      state.isDown = isDown;
      (isDown ? [...sockets] : []).forEach((socket) => socket.destroy());
    },
    close: async () => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}

interface Pair {
  client: Socket;
  database: Socket;
  take(message: string, transaction: string): Rule | undefined;
  count(): void;
}

/** @returns what sends on that which is held. */
function join({ client, database, take, count }: Pair): () => void {
  let transaction = '';
  let rule: Rule | undefined;
  let held: { target: Socket; bytes: Buffer }[] = [];
  client.on('data', (bytes) => {
    const message = bytes.toString('latin1');
    transaction = message.includes('BEGIN') ? message : transaction + message;
    rule ??= take(message, transaction);
    if (rule?.when === 'before') {
      held.push({ target: database, bytes });
      rule.reached();
    } else {
      database.write(bytes);
      count();
    }
  });
  database.on('data', (bytes) => {
    if (rule?.when === 'after') {
      held.push({ target: client, bytes });
      rule.reached();
    } else {
      client.write(bytes);
    }
  });
  return () => {
    rule = undefined;
    held.forEach(({ target, bytes }) => target.write(bytes));
    held = [];
  };
}
