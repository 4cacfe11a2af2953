/** The simulated OpenRouter in a process of its own, without invented latency: both sides are measured against the same one. */
import { measureMedia } from '#media/index.ts';
import { readSnapshot } from '#models/index.ts';
import { startOpenRouterSimulator } from '#sandbox/index.ts';

const { models } = await readSnapshot();
const { url, keys } = await startOpenRouterSimulator({ port: 0, measure: measureMedia, catalogue: models });
console.log(JSON.stringify({ url, apiKey: keys.healthy }));
process.once('SIGTERM', () => process.exit(0));
