import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { openDurable } from '#durable/index.ts';

interface Orders {
  url: string;
  executorId: string;
  deadAfterMs: number;
  /** Stay for ever inside a run: the parent kills the process there. */
  hang?: boolean;
}

/** One process of durable work for tests: it notes what it does in the table `probe` and stops on the message "stop". */
const orders = JSON.parse(process.argv[2] ?? '{}') as Orders;
const pool = new pg.Pool({ connectionString: orders.url, max: 2 });
const note = async (what: string): Promise<void> => {
  await pool.query('INSERT INTO probe (what, executor) VALUES ($1, $2)', [what, orders.executorId]);
};
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: console.error };
const durable = openDurable({ ...orders, log: silent, name: 'farebox', pollMs: 100 });

durable.schedule({
  name: 'test.tick',
  cron: '* * * * * *',
  run: (scheduledAt) => note(`tick ${scheduledAt.toISOString()}`),
});
durable.every({ name: 'test.sweep', intervalMs: 200, run: () => note('sweep') });
durable.schedule({
  name: 'test.slow',
  cron: '* * * * * *',
  run: async (scheduledAt) => {
    await note(`slow ${scheduledAt.toISOString()} begins`);
    await (orders.hang ? wait(3_600_000) : wait(300));
    await note(`slow ${scheduledAt.toISOString()} ends`);
  },
});

process.on('message', () => {
  void durable
    .stop()
    .then(() => pool.end())
    .then(() => process.disconnect());
});
await durable.start();
process.send?.('ready');
