import type { Database } from '#database/index.ts';
import type { Json } from '#kit/index.ts';
import type { RunContext } from '#resources/index.ts';

/** One value of a call, for whoever runs it again after its process died: such as the job that it has ordered already. */
export function keepCheckpoint(
  { system }: Pick<Database, 'system'>,
  callId: string,
): NonNullable<RunContext['checkpoint']> {
  return {
    load: async () => {
      const { rows } = await system.query<{ checkpoint: Json }>('SELECT checkpoint FROM calls WHERE id = $1', [callId]);
      return rows[0]?.checkpoint ?? null;
    },
    save: async (value) => {
      await system.query('UPDATE calls SET checkpoint = $2 WHERE id = $1', [callId, JSON.stringify(value)]);
    },
  };
}
