import { familyOf, type Network } from './network.ts';
import type { Scheme } from './schemes/scheme.ts';

export interface SchemeList {
  /** The ways to pay that are offered and taken. */
  schemes: readonly Scheme[];
}

/** The scheme of that name on the family of the network. */
export function findScheme({ schemes }: SchemeList, wanted: { scheme: string; network: string }): Scheme | null {
  const family = familyOf(wanted.network);
  return schemes.find((scheme) => scheme.name === wanted.scheme && scheme.family.name === family) ?? null;
}

/** For payments and offers of our own; throws where their scheme is gone from the list. */
export function getScheme(list: SchemeList, wanted: { scheme: string; network: string }): Scheme {
  const found = findScheme(list, wanted);
  if (!found) {
    throw new Error(`There is no scheme "${wanted.scheme}" for ${wanted.network}.`);
  }
  return found;
}

/** By CAIP-2 name. */
export function findNetwork({ schemes }: SchemeList, caip2: string): Network | null {
  const networks = schemes.find(({ family }) => Object.hasOwn(family.networks, caip2))?.family.networks;
  return networks?.[caip2] ?? null;
}

/** The network that x402 version 1 calls `name`. */
export function findNetworkByV1Name({ schemes }: SchemeList, name: string): Network | null {
  for (const { family } of schemes) {
    const found = Object.values(family.networks).find((network) => network.v1Name === name);
    if (found) {
      return found;
    }
  }
  return null;
}

export function listNetworks({ schemes }: SchemeList): string[] {
  return [...new Set(schemes.flatMap(({ family }) => Object.keys(family.networks)))];
}
