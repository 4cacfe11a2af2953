import { toUsage } from './media-answer.ts';
import { toCall, type RunRoute } from './media-run.ts';
import { storeFiles } from './store-files.ts';

/** The size that a chat calls `imageSize` is a resolution here. */
export const runImages: RunRoute = async (deps, run) => {
  const { imageSize: resolution, ...config } = run.settings.imageConfig ?? {};
  const { model } = run.request;
  const result = await deps.openRouterMedia.createImages(
    { ...config, model, prompt: run.prompt, resolution },
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
