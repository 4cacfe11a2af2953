import { isUp, type Database } from '#database/index.ts';
import type { Payments } from '#payments/index.ts';
import type { Readiness } from './server-options.ts';

interface ReadinessDeps {
  database: Database;
  payments: Payments;
  isUpstreamUp(): Promise<boolean>;
}

/** Can paid calls be carried out now? Asks the database, a settler of every network and the upstream. */
export async function checkReadiness(deps: ReadinessDeps): Promise<Readiness> {
  const [database, settler, upstream] = await Promise.all([
    isUp(deps.database),
    deps.payments.readiness().then(
      ({ isReady }) => isReady,
      () => false,
    ),
    deps.isUpstreamUp(),
  ]);
  return { ready: database && settler && upstream, checks: { database, settler, upstream } };
}
