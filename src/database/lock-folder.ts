import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join, relative } from 'node:path';

/**
 * Makes this process the only one that works in `folder`. A listening socket is the lock: the system drops it with the
 * process, however it ends. Throws with the holder's process id when the folder is taken.
 * @returns a function that releases the folder.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  // Relative, because the path of a socket may have 107 bytes at the most.
  const path = shorter(join(folder, 'farebox.lock'));
  const holder = join(folder, 'farebox.pid');
  if (await isAlive(path)) {
    const pid = (await readFile(holder, 'utf8').catch(() => 'unknown')).trim();
    throw new Error(
      `Another Farebox (process ${pid}) is running on the data folder ${folder}. Stop it first, or give this one its own: DATA_DIR=./data2 PORT=4030 npm start`,
    );
  }
  await rm(path, { force: true });
  const server = createServer((socket) => socket.destroy());
  server.listen(path).unref();
  await once(server, 'listening');
  await writeFile(holder, String(process.pid));
  return async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(holder, { force: true });
  };
}

function shorter(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.length < path.length ? fromHere : path;
}

async function isAlive(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
