import type { Tx } from '#database/index.ts';

type Executor = Pick<Tx, 'query'>;

const statements = [
  // Longer than a call can be logged anew.
  `DELETE FROM usage_cost_lookups WHERE done_at < now() - interval '60 days'`,
  // Days that no cap asks for any more; costs that are told later are told by then.
  `DELETE FROM spend_runs WHERE day < (now() AT TIME ZONE 'UTC')::date - 7`,
  `DELETE FROM spend_days WHERE day < (now() AT TIME ZONE 'UTC')::date - 7`,
];

/** What only recent calls need. */
export async function forgetOld(system: Executor): Promise<void> {
  for (const statement of statements) {
    await system.query(statement);
  }
}
