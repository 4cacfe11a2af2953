import { distance } from 'fastest-levenshtein';
import { readCatalogue } from './find-model.ts';
import type { Model } from './model.ts';
import { readModelName } from './model-name.ts';
import type { ModelsDeps } from './open-models.ts';

const MAX_LENGTH = 100;
/** At most this share of a name may be wrong. */
const MAX_WRONG = 0.4;

/** The ids of models that whoever wrote `name` may have meant, the nearest first; none when nothing is like it. */
export async function findNearestModels(
  deps: Pick<ModelsDeps, 'database' | 'cache'>,
  name: string,
  limit = 3,
): Promise<string[]> {
  const { models } = await readCatalogue(deps);
  const asked = (readModelName(name).at(-1)?.id ?? '').slice(0, MAX_LENGTH);
  const most = Math.max(1, Math.floor(slugOf(asked).length * MAX_WRONG));
  return models
    .filter((model) => model.isActive && !model.isRouter)
    .map((model) => ({ id: model.openrouterId, steps: countSteps(asked, model) }))
    .filter(({ steps }) => asked !== '' && steps <= most)
    .sort((one, other) => one.steps - other.steps || one.id.localeCompare(other.id, 'en'))
    .slice(0, limit)
    .map(({ id }) => id);
}

/** Another maker, or a variant too many or too few, counts as one step, however long: people know models by their names. */
function countSteps(asked: string, { openrouterId }: Model): number {
  const isSameMaker = openrouterId.split('/')[0] === asked.split('/')[0];
  const bySlug = distance(slugOf(asked), slugOf(openrouterId));
  const byBase =
    distance(baseOf(asked), baseOf(openrouterId)) + (asked.includes(':') === openrouterId.includes(':') ? 0 : 1);
  const hasOtherVariant = asked.split(':')[1] !== openrouterId.split(':')[1];
  const toSlug = hasOtherVariant ? Math.min(bySlug, byBase) : bySlug;
  return Math.min(distance(asked, openrouterId), toSlug + (isSameMaker ? 0 : 1));
}

function baseOf(id: string): string {
  return slugOf(id).split(':')[0] ?? '';
}

function slugOf(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}
