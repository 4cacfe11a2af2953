import { Big } from 'big.js';

/** A price of the list of film models, as far as its name tells what it is of. */
export interface Sku {
  name: string;
  usd: Big;
  /**
   * `second` and `film` of what is made, `picture` of each that is sent along, `least` of what a film costs at least.
   * `nothing`: of what is never asked for here. `unknown`: of what cannot be counted before.
   */
  counts: 'second' | 'film' | 'picture' | 'least' | 'nothing' | 'unknown';
  /** Of films that are made from words alone, or from pictures; null: of both. */
  from: 'words' | 'pictures' | null;
  isSilent: boolean;
}

/** The first line that fits decides. */
const forms: readonly (readonly [RegExp, Sku['counts']])[] = [
  // Films are not sent along, nor made longer.
  [/video_input|input_video|continuation/, 'nothing'],
  [/minimum/, 'least'],
  [/image_input|input_image|reference_image|input_reference/, 'picture'],
  [/token|pixel|frame/, 'unknown'],
  [/second|duration|per_s\b/, 'second'],
];

/**
 * Names as `GET /videos/models` has them: `duration_seconds_with_audio_720p`, `image_to_video_duration_seconds_1080p`,
 * `cents_per_video_output_second_480p`, `cents_per_image_input`, `reference_images`, `minimum_cents_per_generation`.
 */
export function readSku(name: string, price: string): Sku {
  const words = name.toLowerCase().replaceAll('-', '_');
  const isCents = /(^|_)cents(_|$)/.test(words);
  return {
    name,
    usd: new Big(price).times(isCents ? '0.01' : 1),
    counts: forms.find(([form]) => form.test(words))?.[1] ?? 'film',
    from: /(image|reference)s?_to_video/.test(words) ? 'pictures' : /text_to_video/.test(words) ? 'words' : null,
    isSilent: /without_audio|no_audio|silent|mute/.test(words),
  };
}
