import type { SchemeList } from './find-scheme.ts';

/** Every scheme on each of the networks that it knows. */
export function listPayable(
  { schemes }: SchemeList,
  networks: readonly string[],
): { scheme: string; network: string; chargesUse?: true }[] {
  return networks.flatMap((network) =>
    schemes
      .filter(({ family }) => Object.hasOwn(family.networks, network))
      .map(({ name, chargesUse }) => ({ scheme: name, network, ...(chargesUse ? { chargesUse } : {}) })),
  );
}
