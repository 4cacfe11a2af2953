/**
 * Farebox beside what one would use otherwise, in one run: `npm run bench`, or one part of it with
 * `npm run bench -- unpaid`, `paid`, `signatures`, `transactions` or `streams`; `dashboards`, which takes minutes, only when it is named. What is compared and why: bench/README.md.
 */
import { installPeers } from './install-peers.ts';
import { measureDashboards } from './measure-dashboards.ts';
import { measurePaid } from './measure-paid.ts';
import { measureSignatures } from './measure-signatures.ts';
import { measureStreams } from './measure-streams.ts';
import { measureTransactions } from './measure-transactions.ts';
import { measureUnpaid } from './measure-unpaid.ts';
import { openWorld } from './open-world.ts';

const parts = ['signatures', 'transactions', 'streams', 'unpaid', 'paid', 'dashboards'];
const asked = process.argv.slice(2);
const unknown = asked.filter((part) => !parts.includes(part));
if (unknown.length > 0) {
  console.error(`There is no part "${unknown.join(' ')}". Parts: ${parts.join(', ')}; none means all.`);
  process.exit(64);
}
const wants = (part: string): boolean => (asked.length === 0 && part !== 'dashboards') || asked.includes(part);
const startedAt = performance.now();

await using stack = new AsyncDisposableStack();
console.log(`Node ${process.versions.node}; medians and ranges of rounds taken in turns.`);
if (wants('signatures')) {
  await measureSignatures();
}
if (wants('transactions')) {
  await measureTransactions();
}
if (wants('streams')) {
  await measureStreams();
}
if (wants('dashboards')) {
  await measureDashboards();
}
if (wants('paid')) {
  await installPeers();
}
if (wants('unpaid') || wants('paid')) {
  const world = await openWorld(stack);
  if (wants('unpaid')) {
    await measureUnpaid(world);
  }
  if (wants('paid')) {
    await measurePaid(world);
  }
}
console.log(`\nTook ${((performance.now() - startedAt) / 1000).toFixed(0)} s.`);
