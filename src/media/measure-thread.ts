/** The thread on which the files of strangers are measured, one after the other (src/media/measure-apart.ts). */
import { parentPort } from 'node:worker_threads';
import { measureFile } from './measure-file.ts';

parentPort?.on('message', ({ bytes, contentType }: { bytes: Uint8Array; contentType: string }) => {
  void measureFile({ bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), contentType }).then((measures) =>
    parentPort?.postMessage(measures, []),
  );
});
parentPort?.postMessage('ready', []);
