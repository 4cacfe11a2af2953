import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openS3 } from '#upstreams/index.ts';
import { describeMediaStore } from '../../tests/support/describe-media-store.ts';
import { openS3Server } from '../../tests/support/open-s3-server.ts';
import { openFolderStore } from './folder-store.ts';
import { openS3Store } from './s3-store.ts';

describeMediaStore('folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-store-'));
  await writeFile(join(folder, 'something-else'), 'x');
  return { store: openFolderStore(folder), close: () => rm(folder, { recursive: true, force: true }) };
});

describeMediaStore('s3', async () => {
  const server = await openS3Server();
  const s3 = openS3(server.options);
  return {
    store: openS3Store(s3, 'farebox-0123'),
    close: async () => {
      await s3.close();
      await server.close();
    },
  };
});
