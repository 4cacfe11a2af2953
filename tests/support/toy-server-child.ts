import { readConfig } from '../../src/config.ts';
import { startFarebox } from '../../src/main.ts';
import { listKinds } from '../../src/plugins.ts';
import { openToyStream } from './toy-stream.ts';

/** A server with the toy stream kind beside the real ones, in a process of its own. */
const farebox = await startFarebox(readConfig(), {
  listKinds: (deps) => [...listKinds(deps), openToyStream()],
});
process.on('SIGTERM', () => void farebox.close().then(() => process.exit(0)));
console.log(`The toy server is ready at ${farebox.publicUrl}`);
