import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Finding } from './doctor.ts';

/** Can this TCP port be listened on? */
export async function checkPort(host: string, port: number): Promise<Finding> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return { state: 'good', detail: `${host}:${port} is free` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      state: 'bad',
      detail: `${host}:${port} cannot be used (${code ?? 'unknown error'})`,
      mend:
        code === 'EADDRINUSE'
          ? 'Stop what listens there, or choose another: PORT=4030 npm start'
          : 'Choose another PORT or HOST.',
    };
  } finally {
    server.close();
  }
}
