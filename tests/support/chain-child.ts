import { startChain } from '#sandbox/index.ts';

/** Starts a local chain as the server would, reports anvil's pid and then lives until it is killed. */
const [folder = '', port = ''] = process.argv.slice(2);
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const chain = await startChain({ folder, port: Number(port), snapshotSeconds: 60, log });
process.send?.({ pid: chain.pid });
setInterval(() => {}, 60_000);
