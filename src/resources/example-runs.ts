import type { Database, Tx } from '#database/index.ts';
import type { ExampleRow, ExampleRunRow } from './example.ts';

export type KeptExample = Pick<ExampleRow, 'id' | 'name' | 'owner_id' | 'input'>;

type Result = Pick<ExampleRunRow, 'ok' | 'answer' | 'cause' | 'cost_usd' | 'latency_ms' | 'evidence'>;

/** Longer ones are not kept. */
const MAX_ANSWER_LENGTH = 50_000;
/** What is not done by then was cut off: no run takes so long. */
const CUT_OFF = `interval '30 minutes'`;
const MAX_TRIES = 2;
/** Each of another creator. */
const AT_ONCE = 8;
/** Runs of older versions are not kept. */
const KEPT_VERSIONS = 10;

const isCutOff = `run.ended_at IS NULL AND run.started_at < now() - ${CUT_OFF}`;
/** An upstream that failed may have failed in passing. */
const isToBeRepeated = `NOT run.ok AND run.tries < ${MAX_TRIES} AND run.ended_at < now() - interval '10 minutes'`;

const begin = `
  INSERT INTO resource_example_runs AS run (example_id, owner_id, version, started_at) VALUES ($1, $2, $3, now())
  ON CONFLICT (example_id, version) DO UPDATE
    SET started_at = now(), tries = CASE WHEN $4 THEN 1 ELSE run.tries + 1 END, ended_at = NULL
    WHERE ${isCutOff} AND ($4 OR run.tries < ${MAX_TRIES})
      OR run.ended_at IS NOT NULL AND ($4 OR (${isToBeRepeated}))
  RETURNING example_id`;

/** False where another process has it, where it has run (unless `isAsked`), or where the example was deleted meanwhile. */
export async function beginExampleRun(
  { system }: Pick<Database, 'system'>,
  example: KeptExample,
  run: { version: number; isAsked: boolean },
): Promise<boolean> {
  try {
    const { rowCount } = await system.query(begin, [example.id, example.owner_id, run.version, run.isAsked]);
    return rowCount === 1;
  } catch (error) {
    if ((error as { code?: string }).code === '23503') {
      return false;
    }
    throw error;
  }
}

/** What came of it stands in the place of what was there. Null where the example was deleted meanwhile. */
export async function endExampleRun(
  { system }: Pick<Database, 'system'>,
  run: { exampleId: string; version: number },
  result: Result,
): Promise<ExampleRunRow | null> {
  const answer = result.answer === null ? null : JSON.stringify(result.answer);
  const { rows } = await system.query<ExampleRunRow>(
    `UPDATE resource_example_runs SET ok = $3, answer = $4, cause = $5, cost_usd = $6, latency_ms = $7, evidence = $8,
       ended_at = now()
     WHERE example_id = $1 AND version = $2 RETURNING *`,
    [
      run.exampleId,
      run.version,
      result.ok,
      answer !== null && answer.length <= MAX_ANSWER_LENGTH ? answer : null,
      result.cause,
      result.cost_usd,
      result.latency_ms,
      JSON.stringify(result.evidence),
    ],
  );
  await system.query(
    `DELETE FROM resource_example_runs WHERE example_id = $1 AND version > 0 AND version NOT IN (
       SELECT version FROM resource_example_runs WHERE example_id = $1 ORDER BY version DESC LIMIT ${KEPT_VERSIONS})`,
    [run.exampleId],
  );
  return rows[0] ?? null;
}

/** Some that the versions published now have not answered, and those versions. */
export async function listMissingRuns({
  system,
}: Pick<Database, 'system'>): Promise<(KeptExample & { version_id: string })[]> {
  const { rows } = await system.query<KeptExample & { version_id: string }>(`
    SELECT * FROM (
      SELECT DISTINCT ON (example.owner_id) example.id, example.name, example.owner_id, example.input,
        resource.published_version_id AS version_id
    FROM resource_examples example
    JOIN x402_resources resource ON resource.id = example.resource_id
    JOIN x402_resource_versions version ON version.id = resource.published_version_id
    LEFT JOIN resource_example_runs run ON run.example_id = example.id AND run.version = version.version
    WHERE example.reruns AND resource.state = 'published'
      AND (run.example_id IS NULL OR (${isCutOff} AND run.tries < ${MAX_TRIES}) OR (${isToBeRepeated}))
    ORDER BY example.owner_id, example.id) AS missing
    ORDER BY id LIMIT ${AT_ONCE}`);
  return rows;
}

/** All of a resource, in the order in which they were made. `tx` sees what is its caller's. */
export async function readOwnExamples(tx: Pick<Tx, 'query'>, resourceId: string): Promise<ExampleRow[]> {
  const { rows } = await tx.query<ExampleRow>('SELECT * FROM resource_examples WHERE resource_id = $1 ORDER BY id', [
    resourceId,
  ]);
  return rows;
}

/** The same, each with what the newest version before this one made of it. */
export async function readExamples(
  tx: Pick<Tx, 'query'>,
  { id, version }: { id: string; version: number },
): Promise<{ example: KeptExample; before: ExampleRunRow | null }[]> {
  const examples = await readOwnExamples(tx, id);
  const { rows: runs } = await tx.query<ExampleRunRow>(
    `SELECT DISTINCT ON (example_id) * FROM resource_example_runs
     WHERE example_id = ANY ($1) AND ended_at IS NOT NULL AND version > 0 AND ($2 = 0 OR version < $2)
     ORDER BY example_id, version DESC`,
    [examples.map((example) => example.id), version],
  );
  return examples.map((example) => ({ example, before: runs.find((run) => run.example_id === example.id) ?? null }));
}
