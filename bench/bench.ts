/**
 * Farebox beside what one would use otherwise, in one run: `npm run bench`, or one part of it with
 * `npm run bench -- unpaid owner`, say; `dashboards` and `agreement`, which take minutes, only when they are named. Fewer calls
 * than ten million: `npm run bench -- dashboards --calls=500000`. What is compared and why: bench/README.md.
 */
import { parseArgs } from 'node:util';
import { installPeers } from './install-peers.ts';
import { measureAgreement } from './measure-agreement.ts';
import { measureCatalogue } from './measure-catalogue.ts';
import { DASHBOARD_CALLS, measureDashboards } from './measure-dashboards.ts';
import { measureOwner } from './measure-owner.ts';
import { measurePaid } from './measure-paid.ts';
import { measureSignatures } from './measure-signatures.ts';
import { measureStreams } from './measure-streams.ts';
import { measureTransactions } from './measure-transactions.ts';
import { measureUnpaid } from './measure-unpaid.ts';
import { openWorld } from './open-world.ts';

const long = ['dashboards', 'agreement'];
const parts = ['signatures', 'transactions', 'catalogue', 'streams', 'unpaid', 'owner', 'paid', ...long];
const {
  positionals: asked,
  values: { calls = String(DASHBOARD_CALLS) },
} = parseArgs({ allowPositionals: true, options: { calls: { type: 'string' } } });
if (!/^[1-9]\d{0,8}$/.test(calls)) {
  console.error(`--calls=${calls} is no number of calls. It says how many calls the part "dashboards" makes.`);
  process.exit(64);
}
const unknown = asked.filter((part) => !parts.includes(part));
if (unknown.length > 0) {
  console.error(`There is no part "${unknown.join(' ')}". Parts: ${parts.join(', ')}; none means all.`);
  process.exit(64);
}
const wants = (part: string): boolean => (asked.length === 0 && !long.includes(part)) || asked.includes(part);
const startedAt = performance.now();

await using stack = new AsyncDisposableStack();
console.log(`Node ${process.versions.node}; medians and ranges of rounds taken in turns.`);
if (wants('signatures')) {
  await measureSignatures();
}
if (wants('transactions')) {
  await measureTransactions();
}
if (wants('catalogue')) {
  await measureCatalogue();
}
if (wants('streams')) {
  await measureStreams();
}
if (wants('dashboards')) {
  await measureDashboards(Number(calls));
}
if (wants('agreement') && !(await measureAgreement())) {
  process.exitCode = 1;
}
if (wants('owner') || wants('paid')) {
  await installPeers();
}
if (wants('unpaid') || wants('owner') || wants('paid')) {
  const world = await openWorld(stack);
  if (wants('unpaid')) {
    await measureUnpaid(world);
  }
  if (wants('owner')) {
    await measureOwner(world);
  }
  if (wants('paid')) {
    await measurePaid(world);
  }
}
console.log(`\nTook ${((performance.now() - startedAt) / 1000).toFixed(0)} s.`);
