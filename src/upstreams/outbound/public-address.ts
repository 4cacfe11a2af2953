import { lookup as systemResolver, type LookupAddress, type LookupOptions } from 'node:dns';
import ipaddr from 'ipaddr.js';

/** Is this the text of an address of the public internet? Private, local, reserved and translated ranges are not. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) {
    return false;
  }
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast') {
    return false;
  }
  // ipaddr.js calls everything unassigned "unicast"; of IPv6 only 2000::/3 is given out.
  return address.kind() === 'ipv4' || (address.toByteArray()[0] ?? 0) >> 5 === 0b001;
}

/** As `dns.lookup` with `all`. */
export type Resolver = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * `dns.lookup` for connections to hosts that users name. It decides on the very addresses that are connected to, so a
 * name that changes between check and use gains nothing; one private address among public ones refuses the name.
 */
export function openPublicLookup(resolve: Resolver = systemResolver) {
  return (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        callback(error, []);
      } else if (addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address))) {
        callback(new Error('The host has no public address.'), []);
      } else if (options.all) {
        callback(null, addresses);
      } else {
        callback(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 4);
      }
    });
  };
}
