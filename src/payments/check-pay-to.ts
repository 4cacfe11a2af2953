import type { SchemeList } from './find-scheme.ts';

/** The payee's address as offers on the network write it, or what to tell a creator who gave another thing. */
export function checkPayTo(list: SchemeList, network: string, text: string): { value: string } | { message: string } {
  const scheme = list.schemes.find(({ family }) => Object.hasOwn(family.networks, network));
  return scheme ? scheme.family.parsePayee(text) : { message: 'Nothing can be paid on this network.' };
}
