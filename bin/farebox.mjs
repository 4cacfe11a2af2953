#!/usr/bin/env node
// Plain JavaScript on purpose: it must run on any Node, to find one that can run the TypeScript sources.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const NEEDED_MAJOR = 24;
/** Set for the process that a launcher starts. */
const LAUNCHED = 'FAREBOX_LAUNCHED';
const root = dirname(dirname(fileURLToPath(import.meta.url)));

function bundledNode() {
  try {
    const require = createRequire(import.meta.url);
    return join(dirname(require.resolve(`node-linux-${process.arch}/package.json`)), 'bin', 'node');
  } catch {
    return null;
  }
}

/**
 * Runs the same command on another Node. A process cannot replace itself on the Nodes that need this, so there are two; the
 * channel between them is what tells the second one that the first one is gone, even after kill -9.
 */
function reExecute(node) {
  const child = spawn(node, process.argv.slice(1), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [LAUNCHED]: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    console.error(`Farebox could not start ${node}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}

/** Without its launcher nobody stops this process any more and it would hold its ports: it stops as by SIGTERM. */
function endWithLauncher() {
  delete process.env[LAUNCHED];
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  if (process.env[LAUNCHED]) {
    endWithLauncher();
  }
  // Loading everything makes 60 MB of garbage and code that no call needs. Set here and not on the command line, so that
  // `main` can take it back when the server is ready: under load V8 may use what it wants.
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--semi-space-growth-factor=1');
  const { useStrippedSources } = await import('./stripped-sources.mjs');
  useStrippedSources();
  const { main } = await import(join(root, 'src', 'main.ts'));
  await main(process.argv.slice(2));
} else {
  const node = bundledNode();
  if (node) {
    reExecute(node);
  } else {
    console.error(
      [
        `Farebox needs Node ${NEEDED_MAJOR} or newer; this is Node ${process.versions.node} on ${process.platform}-${process.arch}.`,
        'On Linux x64 and arm64, "npm ci" brings a matching Node with it: run it without --omit=optional.',
        `Elsewhere, install Node ${NEEDED_MAJOR} (https://nodejs.org) and run the command again.`,
      ].join('\n'),
    );
    process.exit(1);
  }
}
