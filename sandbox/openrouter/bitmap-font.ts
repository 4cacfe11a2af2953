/** Five columns by seven rows per letter; each row is one number, its five low bits the pixels. */
const glyphs: Record<string, readonly number[]> = {
  A: [14, 17, 17, 31, 17, 17, 17],
  B: [30, 17, 17, 30, 17, 17, 30],
  C: [14, 17, 16, 16, 16, 17, 14],
  D: [30, 17, 17, 17, 17, 17, 30],
  E: [31, 16, 16, 30, 16, 16, 31],
  F: [31, 16, 16, 30, 16, 16, 16],
  G: [14, 17, 16, 23, 17, 17, 14],
  H: [17, 17, 17, 31, 17, 17, 17],
  I: [14, 4, 4, 4, 4, 4, 14],
  J: [7, 2, 2, 2, 2, 18, 12],
  K: [17, 18, 20, 24, 20, 18, 17],
  L: [16, 16, 16, 16, 16, 16, 31],
  M: [17, 27, 21, 21, 17, 17, 17],
  N: [17, 25, 21, 19, 17, 17, 17],
  O: [14, 17, 17, 17, 17, 17, 14],
  P: [30, 17, 17, 30, 16, 16, 16],
  Q: [14, 17, 17, 17, 21, 18, 13],
  R: [30, 17, 17, 30, 20, 18, 17],
  S: [15, 16, 16, 14, 1, 1, 30],
  T: [31, 4, 4, 4, 4, 4, 4],
  U: [17, 17, 17, 17, 17, 17, 14],
  V: [17, 17, 17, 17, 17, 10, 4],
  W: [17, 17, 17, 21, 21, 27, 17],
  X: [17, 17, 10, 4, 10, 17, 17],
  Y: [17, 17, 10, 4, 4, 4, 4],
  Z: [31, 1, 2, 4, 8, 16, 31],
};

const COLUMNS = 5;
const ROWS = 7;
const ADVANCE = 6;

interface Canvas {
  data: Buffer;
  width: number;
  height: number;
}

interface Place {
  x: number;
  y: number;
  scale: number;
  colour: readonly [number, number, number];
}

export function measureText(text: string, scale: number): { width: number; height: number } {
  return { width: text.length * ADVANCE * scale, height: ROWS * scale };
}

/** Letters A to Z; anything else leaves a gap. Pixels outside the canvas are dropped. */
export function drawText(canvas: Canvas, text: string, place: Place): void {
  const plain = text.normalize('NFD').replace(/\p{M}/gu, '').toUpperCase();
  for (const [position, letter] of Array.from(plain).entries()) {
    const rows = glyphs[letter] ?? [];
    for (const [row, bits] of rows.entries()) {
      drawRow(canvas, bits, {
        ...place,
        x: place.x + position * ADVANCE * place.scale,
        y: place.y + row * place.scale,
      });
    }
  }
}

function drawRow(canvas: Canvas, bits: number, { x, y, scale, colour }: Place): void {
  for (let column = 0; column < COLUMNS; column += 1) {
    if (((bits >> (COLUMNS - 1 - column)) & 1) === 1) {
      fillSquare(canvas, { x: x + column * scale, y, scale, colour });
    }
  }
}

function fillSquare(canvas: Canvas, { x, y, scale, colour }: Place): void {
  const pixel = Buffer.from([...colour, 255]);
  const from = Math.max(0, x);
  const to = Math.min(canvas.width, x + scale);
  const last = from < to ? Math.min(canvas.height, y + scale) : 0;
  for (let row = Math.max(0, y); row < last; row += 1) {
    const start = (row * canvas.width + from) * 4;
    canvas.data.fill(pixel, start, start + (to - from) * 4);
  }
}
