/** Portkey's gateway as its own command starts it, without the page of logs; prints one line of JSON when it answers. */
import { createServer } from 'node:net';

const free = createServer().listen(0, '127.0.0.1');
await new Promise((resolve) => free.once('listening', resolve));
const { port } = free.address();
await new Promise((resolve) => free.close(resolve));

// Its own lines would stand before ours.
const { log } = console;
console.clear = () => {};
console.log = () => {};
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;
process.argv.push('--headless', `--port=${port}`);
await import('@portkey-ai/gateway/build/start-server.js');
process.stdout.write = write;
log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
process.once('SIGTERM', () => process.exit(0));
