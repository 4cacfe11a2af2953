import { sha256Hex, toNetwork } from '#kit/index.ts';

/** A client's network as a key: the address where it is IPv4, its /64 where it is IPv6. A digest: no addresses at rest. */
export function toClient(address: string): string {
  return sha256Hex(`client ${toNetwork(address)}`).slice(0, 32);
}
