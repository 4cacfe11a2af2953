import { crc32 } from 'node:zlib';
import { PNG } from 'pngjs';
import { openRandom } from './seeded-random.ts';
import { countPictureTokens } from './tokens.ts';

interface Picture {
  dataUrl: string;
  tokens: number;
}

/** The sizes that image models answer with at "1K". */
const sizes: Record<string, [width: number, height: number]> = {
  '1:1': [1024, 1024],
  '2:3': [832, 1248],
  '3:2': [1248, 832],
  '3:4': [864, 1184],
  '4:3': [1184, 864],
  '4:5': [896, 1152],
  '5:4': [1152, 896],
  '9:16': [768, 1344],
  '16:9': [1344, 768],
  '21:9': [1536, 672],
};

/** 4K is answered with 2K: its pixels would cost a second of processor time. */
const scales: Record<string, number> = { '512': 0.5, '0.5K': 0.5, '1K': 1, '2K': 2, '4K': 2 };

/** Signature, length and type, header, checksum: a PNG's first chunk ends here. */
const PNG_HEADER_BYTES = 33;

interface PictureRequest {
  seed: string;
  aspectRatio: string | undefined;
  imageSize: string | undefined;
}

/** A PNG of the size that was asked for, in one colour per seed; its text chunk says that it is simulated. */
export function drawPicture({ seed, aspectRatio, imageSize }: PictureRequest): Picture {
  const [width, height] = (sizes[aspectRatio ?? '1:1'] ?? [1024, 1024]).map(
    (side) => side * (scales[imageSize ?? '1K'] ?? 1),
  ) as [number, number];
  const random = openRandom(seed, 'picture');
  const png = new PNG({ width, height });
  png.data.fill(Uint8Array.of(random.integer(0, 255), random.integer(0, 255), random.integer(0, 255), 255));
  const bytes = PNG.sync.write(png, { colorType: 2, inputColorType: 6, filterType: 0, deflateLevel: 1 });
  const marked = Buffer.concat([bytes.subarray(0, PNG_HEADER_BYTES), mark, bytes.subarray(PNG_HEADER_BYTES)]);
  return {
    dataUrl: `data:image/png;base64,${marked.toString('base64')}`,
    tokens: countPictureTokens(width, height),
  };
}

const mark = toTextChunk('Comment\0simulated');

/** A PNG chunk: length, then type and content, then the checksum over both. */
function toTextChunk(content: string): Buffer {
  const typed = Buffer.from(`tEXt${content}`, 'latin1');
  const chunk = Buffer.alloc(typed.length + 8);
  chunk.writeUInt32BE(content.length);
  typed.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(typed), typed.length + 4);
  return chunk;
}
