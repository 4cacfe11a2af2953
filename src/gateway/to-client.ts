import ipaddr from 'ipaddr.js';
import { sha256Hex } from '#kit/index.ts';

/** Who has one IPv6 address has as a rule a network of this size. */
const IPV6_PREFIX = 64;

/** A client's network as a key: the address where it is IPv4, its /64 where it is IPv6. A digest: no addresses at rest. */
export function toClient(address: string): string {
  return sha256Hex(`client ${toNetwork(address)}`).slice(0, 32);
}

function toNetwork(text: string): string {
  if (!ipaddr.isValid(text)) {
    return text;
  }
  const address = ipaddr.process(text);
  return address instanceof ipaddr.IPv6
    ? ipaddr.IPv6.networkAddressFromCIDR(`${address.toNormalizedString()}/${IPV6_PREFIX}`).toString()
    : address.toString();
}
