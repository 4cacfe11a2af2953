import ipaddr from 'ipaddr.js';

/** Who has one IPv6 address has as a rule a network of this size. */
const IPV6_PREFIX = 64;

/** What a client is counted by: the address where it is IPv4, its /64 where it is IPv6. What is no address stays as it is. */
export function toNetwork(text: string): string {
  if (!ipaddr.isValid(text)) {
    return text;
  }
  const address = ipaddr.process(text);
  return address instanceof ipaddr.IPv6
    ? ipaddr.IPv6.networkAddressFromCIDR(`${address.toNormalizedString()}/${IPV6_PREFIX}`).toString()
    : address.toString();
}
