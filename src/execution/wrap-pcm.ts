/** Signed 16 bit samples of one channel, little endian, as a WAV file that any player opens (RIFF, 44 bytes of header). */
export function wrapPcm(samples: Uint8Array, sampleRate: number): Buffer {
  // Half a sample at the end would shift nothing, but no player expects it.
  const length = samples.length - (samples.length % 2);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(length, 40);
  return Buffer.concat([header, samples.subarray(0, length)]);
}
