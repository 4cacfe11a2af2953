/** Farebox in a process that tells its memory after a collection of garbage, when it is asked. */
import { readConfig } from '../src/config.ts';
import { startFarebox } from '../src/main.ts';

const farebox = await startFarebox(readConfig());
process.on('message', () => {
  // Twice: what finalizers let go is collected by the second.
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ rss, heapUsed, external });
});
process.once('SIGTERM', () => void farebox.close().then(() => process.exit(0)));
process.send?.({ url: farebox.publicUrl });
