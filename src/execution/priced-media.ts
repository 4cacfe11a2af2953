import type { MediaParameter } from '#resources/index.ts';
import type { KnownModel } from './execution-deps.ts';
import type { MediaPrices } from './find-media-prices.ts';
import type { PromptSize } from './measure-prompt.ts';
import type { MediaSettings } from './media-settings.ts';

/** What a price of media is made of. */
export interface PricedMedia {
  model: KnownModel;
  settings: MediaSettings;
  /** Of what is worked on, source parameters included. */
  prompt: PromptSize;
  prices: MediaPrices;
  /** The pictures that may be sent along, once for each use. */
  pictures: readonly MediaParameter[];
}
