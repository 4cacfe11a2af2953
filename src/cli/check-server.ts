import type { Finding } from './doctor.ts';

/** Does a Farebox serve at this origin already, and is it ready? `null`: none does. */
export async function checkServer(origin: string): Promise<Finding | null> {
  const health = await ask(`${origin}/healthz`);
  if (health?.['status'] !== 'alive' || typeof health['version'] !== 'string') {
    return null;
  }
  const ready = await ask(`${origin}/readyz`);
  const cause = typeof ready?.['detail'] === 'string' ? ready['detail'] : 'no answer';
  const named = `Farebox ${health['version']} runs at ${origin}`;
  return ready?.['status'] === 'ready'
    ? { state: 'good', detail: `${named} and is ready` }
    : {
        state: 'bad',
        detail: `${named} and is not ready: ${cause}`,
        mend: 'Its log says why; the checks below name what does not answer.',
      };
}

async function ask(url: string): Promise<Record<string, unknown> | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
    return (await response.json()) as Record<string, unknown>;
  } catch {
    return null;
  }
}
