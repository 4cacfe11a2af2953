import { expect, test } from 'vitest';
import { readSku } from './read-sku.ts';

test.each<[string, string, Partial<ReturnType<typeof readSku>> & { is: string }]>([
  ['duration_seconds_with_audio_720p', '0.05', { counts: 'second', from: null, isSilent: false, is: '0.05' }],
  ['duration_seconds_without_audio_4k', '0.4', { counts: 'second', isSilent: true, is: '0.4' }],
  ['text_to_video_duration_seconds_480p', '0.1', { counts: 'second', from: 'words', is: '0.1' }],
  ['image_to_video_duration_seconds_1080p', '0.2', { counts: 'second', from: 'pictures', is: '0.2' }],
  ['reference_to_video_duration_seconds', '0.2', { counts: 'second', from: 'pictures', is: '0.2' }],
  ['per-video-second-1080p', '0.75', { counts: 'second', is: '0.75' }],
  ['cents_per_second_output', '12', { counts: 'second', is: '0.12' }],
  ['cents_per_video_output_second_480p', '5', { counts: 'second', is: '0.05' }],
  ['cents_per_image_input', '0.2', { counts: 'picture', is: '0.002' }],
  ['reference_images', '0.01', { counts: 'picture', is: '0.01' }],
  ['minimum_cents_per_generation', '20', { counts: 'least', is: '0.2' }],
  ['cents_per_video_input_second', '1', { counts: 'nothing', is: '0.01' }],
  ['cents_per_second_video_continuation_720p', '9', { counts: 'nothing', is: '0.09' }],
  ['cents_per_megapixel_second_precise', '7.5', { counts: 'unknown', is: '0.075' }],
  ['video_tokens_without_audio', '0.000007', { counts: 'unknown', is: '0.000007' }],
  ['generate', '0.5', { counts: 'film', from: null, is: '0.5' }],
])('the price "%s" of %s is read by its name', (name, price, { is, ...read }) => {
  const sku = readSku(name, price);
  expect(sku).toMatchObject(read);
  expect(sku.usd.toFixed()).toBe(is);
});
