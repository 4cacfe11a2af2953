import type { KnownModel } from './execution-deps.ts';

/** By which route of OpenRouter a model is run. */
export const modelRoutes = ['chat', 'images', 'speech', 'transcription', 'videos', 'embeddings', 'rerank'] as const;
export type ModelRoute = (typeof modelRoutes)[number];

/** The first line that fits decides: what can write is asked in a chat, also for the pictures and the sound that it makes. */
const routeOfOutput: readonly (readonly [output: string, route: ModelRoute])[] = [
  ['text', 'chat'],
  ['image', 'images'],
  ['speech', 'speech'],
  ['transcription', 'transcription'],
  ['video', 'videos'],
  ['embeddings', 'embeddings'],
  ['rerank', 'rerank'],
  ['audio', 'speech'],
];

/** Null where the model makes nothing that is sold here. */
export function findRoute({ outputModalities }: Pick<KnownModel, 'outputModalities'>): ModelRoute | null {
  return routeOfOutput.find(([output]) => outputModalities.includes(output))?.[1] ?? null;
}
