import { Big } from 'big.js';

/** The catalogue gives the price of a picture or of its tokens under one name: no token costs as much, no picture as little. */
const CHEAPEST_PICTURE_USD = '0.0005';

export function isPerPicture(usd: string): boolean {
  return new Big(usd).gte(CHEAPEST_PICTURE_USD);
}

/** Tokens of one picture by the size that is asked for; makers count them differently, by quality too. */
const tokensOfSize: Readonly<Record<string, { typical: number; worst: number }>> = {
  '512': { typical: 400, worst: 1_300 },
  '1K': { typical: 1_290, worst: 6_300 },
  '2K': { typical: 2_600, worst: 8_400 },
  '4K': { typical: 5_200, worst: 21_000 },
};

export function pictureTokens(imageSize = '1K'): { typical: number; worst: number } {
  return tokensOfSize[imageSize] ?? { typical: 0, worst: 0 };
}
