import { drawPicture } from '../picture.ts';
import { openRandom } from '../seeded-random.ts';

interface Drawing {
  seed: string;
  count: number;
  aspectRatio: string | undefined;
  imageSize: string | undefined;
  isVector: boolean;
}

export interface DrawnPicture {
  b64_json: string;
  media_type: 'image/png' | 'image/svg+xml';
  /** Of a vector: its markup. */
  markup: string | null;
  /** As it looks before it is finished. */
  drawDraft(at: number): string;
}

export function drawPictures({ count, ...asked }: Drawing): DrawnPicture[] {
  return Array.from({ length: count }, (_, at) => {
    const seed = `${asked.seed}${at}`;
    const drawDraft = (draft: number): string =>
      toBase64({ ...asked, seed: `${seed} draft ${draft}`, imageSize: '512' });
    if (!asked.isVector) {
      return { b64_json: toBase64({ ...asked, seed }), media_type: 'image/png', markup: null, drawDraft };
    }
    const markup = drawVector(seed);
    return { b64_json: Buffer.from(markup).toString('base64'), media_type: 'image/svg+xml', markup, drawDraft };
  });
}

function toBase64(asked: Parameters<typeof drawPicture>[0]): string {
  const { dataUrl } = drawPicture(asked);
  return dataUrl.slice(dataUrl.indexOf(',') + 1);
}

function drawVector(seed: string): string {
  const hue = openRandom(seed, 'vector').integer(0, 359);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><!-- simulated --><circle cx="32" cy="32" r="24" fill="hsl(${hue} 60% 50%)"/></svg>`;
}
