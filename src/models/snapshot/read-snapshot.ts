import { readFile } from 'node:fs/promises';

export interface Snapshot {
  /** When the sources of the snapshot were published (ISO 8601). */
  takenAt: string;
  /** Raw objects in the shape of OpenRouter's `GET /models`, all output modalities. */
  models: unknown[];
}

/** The catalogue that ships for offline use. Its prices grow old, so a live upstream replaces it. */
export async function readSnapshot(): Promise<Snapshot> {
  const text = await readFile(new URL('catalogue.json', import.meta.url), 'utf8');
  const { takenAt, models } = JSON.parse(text) as Snapshot;
  return { takenAt, models };
}
