import type { Tx } from '#database/index.ts';

/** The accounts of the addresses that the operator names as administrators. The system's rights. */
export async function listOperators(executor: Pick<Tx, 'query'>, adminEmails: readonly string[]): Promise<string[]> {
  const { rows } = await executor.query<{ id: string }>('SELECT id FROM users WHERE email = ANY ($1) ORDER BY id', [
    adminEmails.map((email) => email.trim().toLowerCase()),
  ]);
  return rows.map(({ id }) => id);
}
