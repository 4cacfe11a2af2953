import { z } from 'zod';

const modelSchema = z.looseObject({
  id: z.string(),
  canonical_slug: z.string(),
  name: z.string(),
  description: z.string().optional(),
  created: z.number(),
  context_length: z.number().nullable(),
  alias_target: z.object({ slug: z.string() }).optional(),
  architecture: z.looseObject({ input_modalities: z.array(z.string()), output_modalities: z.array(z.string()) }),
  pricing: z.record(z.string(), z.unknown()),
  top_provider: z.looseObject({ max_completion_tokens: z.number().nullish() }),
  supported_parameters: z.array(z.string()),
  expiration_date: z.string().nullish(),
  reasoning: z.looseObject({ mandatory: z.boolean() }).nullish(),
});

/** A raw `GET /models` object, served as it came; only these fields are read. */
export type CatalogueModel = z.infer<typeof modelSchema>;

export interface Catalogue {
  readonly list: readonly CatalogueModel[];
  /** Counts changes, for ETags and caches. */
  readonly revision: number;
  /** By id or canonical slug, without what only steers the request. */
  find(id: string): CatalogueModel | null;
  change(id: string, change: (model: CatalogueModel) => CatalogueModel): void;
  /** Lists it under another id; the old one is answered as well, as by the real one. */
  rename(id: string, newId: string): void;
  remove(id: string): void;
  reset(): void;
}

export function openCatalogue(source: readonly unknown[]): Catalogue {
  const original = source.map(checkModel);
  let list = original;
  let byName = indexByName(list);
  let revision = 0;
  const newIds = new Map<string, string>();
  const replace = (next: CatalogueModel[]): void => {
    list = next;
    byName = indexByName(next);
    revision += 1;
  };
  const change: Catalogue['change'] = (id, changeModel) => {
    if (!byName.has(id)) {
      throw new Error(`The catalogue has no model "${id}".`);
    }
    replace(list.map((model) => (model.id === id ? changeModel(model) : model)));
  };
  return {
    get list() {
      return list;
    },
    get revision() {
      return revision;
    },
    find: (id) => byName.get(id) ?? byName.get(newIds.get(id) ?? '') ?? null,
    change,
    rename: (id, newId) => {
      change(id, (model) => ({ ...model, id: newId }));
      newIds.set(id, newId);
    },
    remove: (id) => replace(list.filter((model) => model.id !== id)),
    reset: () => {
      newIds.clear();
      replace(original);
    },
  };
}

/** Checks the fields that are read, but keeps the object as it came: parsing would change the order of its keys. */
function checkModel(model: unknown): CatalogueModel {
  modelSchema.parse(model);
  return model as CatalogueModel;
}

function indexByName(list: readonly CatalogueModel[]): Map<string, CatalogueModel> {
  const byName = new Map<string, CatalogueModel>();
  for (const model of list) {
    if (!model.id.includes(':')) {
      byName.set(model.canonical_slug, model);
    }
  }
  for (const model of list) {
    byName.set(model.id, model);
  }
  return byName;
}
