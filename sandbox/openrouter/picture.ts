import { PNG } from 'pngjs';
import { drawText, measureText } from './bitmap-font.ts';
import { countPictureTokens } from './tokens.ts';
import { openRandom } from './seeded-random.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface Picture {
  dataUrl: string;
  tokens: number;
}

type Colour = [red: number, green: number, blue: number];

interface Canvas {
  data: Buffer;
  width: number;
  height: number;
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

/** Larger sizes than 2K would cost seconds of CPU for a picture that nobody looks at. */
const scales: Record<string, number> = { '512': 0.5, '0.5K': 0.5, '1K': 1, '2K': 2, '4K': 2 };

const MAX_REMEMBERED = 8;

export interface PictureRequest {
  seed: string;
  words: readonly string[];
  aspectRatio: string | undefined;
  imageSize: string | undefined;
}

/** Draws real PNGs: hills under a sky, from the seed alone, with the words and "SIMULATED" written on them. */
export function openPictures(): (request: PictureRequest) => Picture {
  const remembered = new Map<string, Picture>();
  return (request) => {
    const size = sizeOf(request);
    const name = JSON.stringify([request.seed, request.words, size]);
    const picture = remembered.get(name) ?? drawPicture(size, request);
    const [oldest] = remembered.keys();
    if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) {
      remembered.delete(oldest);
    }
    remembered.set(name, picture);
    return picture;
  };
}

function sizeOf({ aspectRatio, imageSize }: PictureRequest): { width: number; height: number } {
  const [width, height] = sizes[aspectRatio ?? '1:1'] ?? [1024, 1024];
  const scale = scales[imageSize ?? '1K'] ?? 1;
  return { width: width * scale, height: height * scale };
}

function drawPicture(size: { width: number; height: number }, request: PictureRequest): Picture {
  return {
    dataUrl: `data:image/png;base64,${paint(size, request).toString('base64')}`,
    tokens: countPictureTokens(size.width, size.height),
  };
}

function paint({ width, height }: { width: number; height: number }, request: PictureRequest): Buffer {
  const random = openRandom(request.seed, 'picture');
  const canvas = { data: Buffer.alloc(width * height * 4, 255), width, height };
  const hue = random.integer(0, 359);
  paintSky(canvas, hue);
  paintSun(canvas, random, hue);
  for (let layer = 0; layer < 4; layer += 1) {
    paintHill(canvas, random, { layer, colour: toRgb(hue + 150 + layer * 14, 42, 62 - layer * 13) });
  }
  paintWords(canvas, request.words);
  const png = new PNG({ width, height });
  png.data = canvas.data;
  return PNG.sync.write(png, { colorType: 2, inputColorType: 6, filterType: 2, deflateLevel: 3 });
}

function paintSky(canvas: Canvas, hue: number): void {
  const { width, height, data } = canvas;
  for (let y = 0; y < height; y += 1) {
    // Bands keep the file small.
    const share = Math.floor((y / height) * 24) / 24;
    const [red, green, blue] = toRgb(hue + share * 40, 70, 38 + share * 45);
    const row = Buffer.from([red, green, blue, 255]);
    data.fill(row, y * width * 4, (y + 1) * width * 4);
  }
}

function paintSun(canvas: Canvas, random: SeededRandom, hue: number): void {
  const { width, height } = canvas;
  const radius = Math.round((Math.min(width, height) * random.integer(8, 16)) / 100);
  const centre = { x: random.integer(radius, width - radius), y: random.integer(radius, Math.round(height / 2)) };
  const colour = toRgb(hue + 40, 95, 88);
  for (let dy = -radius; dy <= radius; dy += 1) {
    const half = Math.floor(Math.sqrt(radius * radius - dy * dy));
    fillRow(canvas, { y: centre.y + dy, from: centre.x - half, to: centre.x + half }, colour);
  }
}

function paintHill(canvas: Canvas, random: SeededRandom, hill: { layer: number; colour: Colour }): void {
  const { width, height, data } = canvas;
  const base = height * (0.5 + hill.layer * 0.13);
  const waves = Array.from({ length: 3 }, (_, at) => ({
    length: width / random.integer(1 + at, 3 + at * 2),
    rise: (height * random.integer(2, 9)) / 100 / (at + 1),
    shift: random.integer(0, 628) / 100,
  }));
  const [red, green, blue] = hill.colour;
  for (let x = 0; x < width; x += 1) {
    const rise = waves.reduce((sum, wave) => sum + wave.rise * Math.sin((x / wave.length) * 6.28 + wave.shift), 0);
    for (let y = Math.max(0, Math.round(base - rise)); y < height; y += 1) {
      const at = (y * width + x) * 4;
      data[at] = red;
      data[at + 1] = green;
      data[at + 2] = blue;
    }
  }
}

function paintWords(canvas: Canvas, words: readonly string[]): void {
  const large = Math.max(2, Math.round(canvas.width / 160));
  const title = words.join(' ').slice(0, 24);
  const size = measureText(title, large);
  const place = { x: Math.round((canvas.width - size.width) / 2), y: Math.round(canvas.height * 0.8) };
  drawText(canvas, title, { ...place, scale: large, colour: [255, 255, 255] });
  const small = Math.max(2, Math.round(large / 2));
  const mark = measureText('SIMULATED', small);
  drawText(canvas, 'SIMULATED', {
    x: canvas.width - mark.width - small * 6,
    y: canvas.height - mark.height - small * 6,
    scale: small,
    colour: [255, 255, 255],
  });
}

function fillRow(canvas: Canvas, row: { y: number; from: number; to: number }, colour: Colour): void {
  if (row.y < 0 || row.y >= canvas.height) {
    return;
  }
  const from = Math.max(0, row.from);
  const to = Math.min(canvas.width - 1, row.to);
  const start = (row.y * canvas.width + from) * 4;
  canvas.data.fill(Buffer.from([...colour, 255]), start, start + (to - from + 1) * 4);
}

function toRgb(hue: number, saturation: number, lightness: number): Colour {
  const channel = (offset: number): number => {
    const turn = (offset + hue / 30) % 12;
    const chroma = (saturation / 100) * Math.min(lightness / 100, 1 - lightness / 100);
    return Math.round(255 * (lightness / 100 - chroma * Math.max(-1, Math.min(turn - 3, 9 - turn, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
