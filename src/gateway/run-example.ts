import { Problem } from '#kit/index.ts';
import {
  beginExampleRun,
  endExampleRun,
  listMissingRuns,
  parseInput,
  type ExampleRunRow,
  type KeptExample,
  type Published,
  type PublishedVersion,
} from '#resources/index.ts';
import { notRun, tryVersion, type Tried, type TryDeps } from './try-version.ts';

export type ExampleDeps = TryDeps & { published: Pick<Published, 'findById' | 'findVersion'> };

interface Asked {
  example: KeptExample;
  version: PublishedVersion;
  /** Also where this version has answered it already. */
  isAsked: boolean;
}

/** Runs an example once, as its owner's test, and keeps what came of it. Null where it runs already, or was deleted. */
export async function runExample(deps: TryDeps, { example, version, isAsked }: Asked): Promise<ExampleRunRow | null> {
  const run = { exampleId: example.id, version: version.version };
  if (!(await beginExampleRun(deps.database, example, { ...run, isAsked }))) {
    return null;
  }
  const { ok, answer, cause, costUsd, latencyMs, evidence } = await tryInput(deps, version, example.input);
  const result = { ok, answer: answer?.json ?? null, cause, cost_usd: costUsd, latency_ms: latencyMs, evidence };
  return endExampleRun(deps.database, run, result);
}

async function tryInput(deps: TryDeps, version: PublishedVersion, input: KeptExample['input']): Promise<Tried> {
  const parsed = parseInput(version, input, { isText: false });
  if (!parsed.ok) {
    const said = parsed.fields.map(({ path, message }) => `${path} ${message}`).join(' ');
    return { ...notRun, cause: `invalid_input: The example does not fit the parameters. ${said}`.slice(0, 500) };
  }
  try {
    return await tryVersion(deps, { version, input: parsed.input });
  } catch (error) {
    // Such as a file that cannot be had: the other examples are run all the same.
    if (error instanceof Problem) {
      return { ...notRun, cause: `${error.code}: ${error.message}`.slice(0, 500) };
    }
    throw error;
  }
}

/** Runs some examples that the versions published now have not answered; to be called every few seconds by a job. */
export async function rerunExamples(deps: ExampleDeps): Promise<number> {
  const missing = await listMissingRuns(deps.database);
  const ran = await Promise.all(
    missing.map(async ({ version_id: versionId, ...example }) => {
      const version = await deps.published.findVersion(versionId);
      return version && runExample(deps, { example, version, isAsked: false });
    }),
  );
  return ran.filter((row) => row !== null).length;
}
