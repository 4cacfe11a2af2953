import type { ImageProviders } from '#upstreams/index.ts';
import { chooseEndpoints, toProviders } from './image-endpoints.ts';
import type { ExecutionDeps } from './execution-deps.ts';
import { findMediaPrices } from './find-media-prices.ts';
import { toUsage } from './media-answer.ts';
import { notAsked, toCall, type MediaRun, type RunRoute } from './media-run.ts';
import { listSent } from './picture-inputs.ts';
import { storeFiles } from './store-files.ts';

/** The size that a chat calls `imageSize` is a resolution here. */
export const runImages: RunRoute = async (deps, run) => {
  const { imageSize: resolution, references: _named, filledBy: _filled, ...config } = run.settings.imageConfig ?? {};
  const { model } = run.request;
  const references = listSent(run);
  const chosen = await chooseProviders(deps, run, references.length > 0);
  if (chosen === 'none') {
    const cause =
      'model_input: No provider of this model takes the pictures that it is to go by any more, or the list of them cannot be read.';
    return { facts: notAsked, refused: { problem: 'unavailable', cause } };
  }
  const result = await deps.openRouterMedia.createImages(
    { ...config, model, prompt: run.prompt, resolution, ...(references.length > 0 ? { references } : {}), ...chosen },
    toCall(run),
  );
  if (!result.ok) {
    return { facts: result, failure: result.failure };
  }
  const stored = await storeFiles(deps, { ...run, kind: 'image', files: result.output });
  if (!Array.isArray(stored)) {
    return { facts: result, refused: stored };
  }
  const files = stored.map((file) => ({ ...file }));
  return { facts: result, media: stored, json: { response: '', images: files, media: files, usage: toUsage(result) } };
};

/** A provider that does not take a setting leaves it out without a word: a buyer's picture would be paid for and not seen. */
async function chooseProviders(
  deps: ExecutionDeps,
  { modelId, settings, parameters }: MediaRun,
  hasReferences: boolean,
): Promise<{ provider?: ImageProviders } | 'none'> {
  const { images } = await findMediaPrices(deps, 'images', modelId);
  const chosen = images && chooseEndpoints(images, { settings, parameters });
  // Where it is not known who takes them, nobody is asked.
  if (chosen === null && hasReferences) {
    return 'none';
  }
  const provider = chosen === null ? toProviders(settings.provider) : chosen.provider;
  return provider === null ? {} : { provider };
}
