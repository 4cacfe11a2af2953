import { getJson, type JsonGet } from './get-json.ts';

/** Does the API answer at all? Asks for the number of models, the smallest answer that needs no key. Never throws. */
export async function isUp(source: JsonGet): Promise<boolean> {
  try {
    const path = `${source.basePath}/models/count`;
    const { status } = await getJson(source, { path, timeoutMs: 3_000, maxBytes: 10_000 });
    return status < 500;
  } catch {
    return false;
  }
}
