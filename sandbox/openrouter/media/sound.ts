import { openRandom } from '../seeded-random.ts';

export const SAMPLE_RATE = 24_000;
const NOTE_SECONDS = 0.25;
const LOUDNESS = 6_000;
const MAX_SECONDS = 4;
/** Letters that are spoken in a second. */
const LETTERS_PER_SECOND = 15;

/** How long a text is spoken here: real ones are longer, these need not be. */
export function toSeconds(text: string): number {
  return Math.min(MAX_SECONDS, Math.max(1, Math.ceil(text.length / LETTERS_PER_SECOND)) / 2);
}

/** Signed 16 bit samples of one channel, little endian: a small melody, the same for the same seed. */
export function drawSamples(seed: string, seconds: number): Buffer {
  const random = openRandom(seed, 'melody');
  const count = Math.floor(seconds * SAMPLE_RATE);
  const samples = Buffer.alloc(count * 2);
  let frequency = 0;
  for (let at = 0; at < count; at += 1) {
    if (at % Math.floor(NOTE_SECONDS * SAMPLE_RATE) === 0) {
      frequency = 220 * 2 ** (random.integer(0, 12) / 12);
    }
    const wave = Math.sin((2 * Math.PI * frequency * at) / SAMPLE_RATE);
    samples.writeInt16LE(Math.round(LOUDNESS * wave), at * 2);
  }
  return samples;
}

/** MPEG-1 layer III, 32 kbit/s, 44.1 kHz, one channel; all bits of side information zero, which is silence. */
const FRAME = Buffer.concat([Buffer.from('fffb10c4', 'hex'), Buffer.alloc(100)]);
const FRAMES_PER_SECOND = 44_100 / 1_152;

/** Silence that any player takes for an MP3. */
export function drawMp3(seconds: number): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(seconds * FRAMES_PER_SECOND) }, () => FRAME));
}

/** Of what does not tell its length: by the bit rate of speech. */
export function guessSeconds(bytes: Buffer): number {
  return (bytes.length * 8) / 32_000;
}
