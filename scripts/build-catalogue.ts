/**
 * Builds src/models/snapshot/catalogue.json: the AI model catalogue that ships for offline use, in the shape of
 * OpenRouter's `GET /models`. Run it on unpacked npm packages (see src/models/snapshot/NOTICE for their licences):
 *
 *   cd /tmp && npm pack @earendil-works/pi-ai@1.5.2 @oh-my-pi/pi-catalog@18.2.11
 *   for f in *.tgz; do mkdir -p "${f%.tgz}" && tar xzf "$f" -C "${f%.tgz}" --strip-components=1; done
 *   node scripts/build-catalogue.ts /tmp/earendil-works-pi-ai-1.5.2 /tmp/oh-my-pi-pi-catalog-18.2.11 2026-11-10
 *
 * The first package gives ids, names, prices, context and reasoning; the second adds embedding models and the
 * sampling limits of reasoning models; the date is when the first was published. What neither of them knows
 * (modalities beyond text and image, dates, image prices, the demo marks) stands in scripts/catalogue-facts.ts.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { demoMarks, modalitiesOf, orderOfKeys } from './catalogue-facts.ts';
import { toApiModel } from './catalogue-model.ts';
import type { ApiModel, SourceModel } from './catalogue-model.ts';

const [chatPackage, extraPackage, takenOn] = process.argv.slice(2);
if (chatPackage === undefined || extraPackage === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(takenOn ?? '')) {
  console.error('usage: node scripts/build-catalogue.ts <pi-ai folder> <pi-catalog folder> <YYYY-MM-DD>');
  process.exit(2);
}

const chatSource = JSON.parse(
  await readFile(join(chatPackage, 'dist/providers/data/openrouter.json'), 'utf8'),
) as Record<string, Record<string, SourceModel>>;
const extraSource = (
  JSON.parse(await readFile(join(extraPackage, 'src/models.json'), 'utf8')) as {
    openrouter: Record<string, SourceModel>;
  }
).openrouter;

const extras = new Map(Object.values(extraSource).map((model) => [model.id, model]));
const sources = new Map<string, SourceModel>();
for (const model of Object.values(chatSource).flatMap((group) => Object.values(group))) {
  const isWanted = model.id.includes('/') && !model.id.endsWith(':batch') && !model.id.endsWith('-vector');
  if (!isWanted || model.type === 'classifier') {
    continue;
  }
  const known = sources.get(model.id);
  const output = model.type === 'chat' ? ['text'] : (model.output ?? ['image']);
  sources.set(model.id, { ...model, ...known, output: [...new Set([...(known?.output ?? []), ...output])] });
}
for (const model of extras.values()) {
  if (model.kind === 'embedding' && !sources.has(model.id)) {
    sources.set(model.id, { ...model, output: ['embeddings'] });
  }
}

const assumedPrices: string[] = [];
const context = { takenOn: takenOn ?? '', sources, extras, assumedPrices };
const models = [...sources.values()]
  .map((source) => ({ ...source, ...modalitiesOf(source) }))
  .map((source) => toApiModel(source, context))
  .map((model): ApiModel => ({ ...model, ...demoMarks[model.id] }))
  .map((model) => Object.fromEntries(orderOfKeys.filter((key) => key in model).map((key) => [key, model[key]])))
  .sort((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1));

const head = {
  takenAt: `${takenOn}T00:00:00.000Z`,
  notice: 'A dated snapshot for offline use and for the simulator. Prices drift: refresh from a live GET /models.',
  sources: ['@earendil-works/pi-ai 1.5.2 (MIT)', '@oh-my-pi/pi-catalog 18.2.11 (MIT)'],
  assumedImagePrices: assumedPrices.sort(),
  demoMarks: Object.keys(demoMarks),
};
const lines = models.map((model) => `  ${JSON.stringify(model)}`).join(',\n');
const text = `${JSON.stringify(head, null, 1).slice(0, -2)},\n "models": [\n${lines}\n ]\n}\n`;
JSON.parse(text);
await writeFile(new URL('../src/models/snapshot/catalogue.json', import.meta.url), text);
console.log(`${models.length} models, ${(text.length / 1024).toFixed(0)} KB`);
