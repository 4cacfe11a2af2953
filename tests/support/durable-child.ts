import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { openDurable } from '#durable/index.ts';

interface Orders {
  url: string;
  executorId: string;
  deadAfterMs: number;
  /** Stay for ever inside the second step: the parent kills us there. */
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
durable.work<{ label: string }>({
  name: 'test.slow',
  run: async ({ label }) => {
    await durable.step('first', () => note(`${label} first`));
    await durable.step('second', async () => {
      await note(`${label} second begins`);
      await (orders.hang ? wait(3_600_000) : wait(300));
      await note(`${label} second ends`);
    });
  },
});

process.on('message', (message: { enqueue?: string } | 'stop') => {
  if (message === 'stop') {
    void durable
      .stop()
      .then(() => pool.end())
      .then(() => process.disconnect());
  } else if (message.enqueue) {
    void durable.enqueue('test.slow', { label: message.enqueue }, { id: message.enqueue });
  }
});
await durable.start();
process.send?.('ready');
