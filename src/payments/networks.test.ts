import { DEFAULT_ASSETS } from '@x402/evm';
import { NETWORKS as namesOfV1 } from '@x402/evm/v1';
import * as viemChains from 'viem/chains';
import { expect, test } from 'vitest';
import { schemeList } from '../../tests/support/pay.ts';
import { findNetworkByV1Name } from './find-scheme.ts';
import { eip155Networks } from './networks.ts';

test.each(Object.values(eip155Networks))('$name has the asset and domain that the SDK knows', (network) => {
  const [asset] = DEFAULT_ASSETS[network.caip2] ?? [];
  expect(network.asset).toEqual({
    address: asset?.asset,
    name: asset?.name,
    version: asset?.version,
    decimals: asset?.decimals,
  });
  expect(asset).not.toHaveProperty('assetTransferMethod');
  expect(network.caip2).toBe(`eip155:${network.chainId}`);
});

test.each(Object.values(eip155Networks).filter(({ v1Name }) => v1Name !== undefined))(
  '$name has a version 1 name that the SDK knows, and is found by it',
  (network) => {
    expect(namesOfV1).toContain(network.v1Name);
    expect(findNetworkByV1Name(schemeList, network.v1Name ?? '')).toBe(network);
  },
);

test.each(Object.values(eip155Networks))('$name is a test network only where viem says so', (network) => {
  const chain = Object.values(viemChains).find((known) => 'id' in known && known.id === network.chainId);
  expect(chain?.testnet ?? false).toBe(network.isTestnet);
});

test('an unknown version 1 name is no network', () => {
  expect(findNetworkByV1Name(schemeList, 'dogecoin')).toBeNull();
  expect(findNetworkByV1Name(schemeList, '__proto__')).toBeNull();
});
