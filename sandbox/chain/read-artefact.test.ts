import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eip3009ABI, x402ExactPermit2ProxyABI, x402UptoPermit2ProxyABI } from '@x402/evm';
import { getAddress, toEventSelector, toFunctionSelector, toFunctionSignature } from 'viem';
import type { Abi, AbiFunction } from 'viem';
import { expect, test } from 'vitest';
import { contractAddresses, readArtefact } from '#sandbox/index.ts';

const root = join(import.meta.dirname, '../..');

test('the artefacts are byte for byte what the sources compile to', async () => {
  const script = join(root, 'scripts/build-contracts.ts');
  const { stderr } = await promisify(execFile)(process.execPath, [script, '--check'], { cwd: root });
  expect(stderr).toBe('');
});

/** Selectors, so that names of types and parameters do not matter. */
function interfaceOf(abi: Abi): string[] {
  return abi.flatMap((entry) => {
    switch (entry.type) {
      case 'function':
        return [`${toFunctionSelector(entry)} ${entry.name}`];
      case 'event':
        return [`${toEventSelector(entry)} ${entry.name}`];
      case 'error':
        return [`error ${toFunctionSignature({ ...entry, type: 'function' } as unknown as AbiFunction)}`];
      default:
        return [];
    }
  });
}

test.each([
  ['test-usdc' as const, eip3009ABI as Abi],
  ['exact-permit2-proxy' as const, x402ExactPermit2ProxyABI as Abi],
  ['upto-permit2-proxy' as const, x402UptoPermit2ProxyABI as Abi],
])('%s has the interface that the official SDK calls', async (name, wanted) => {
  const { abi } = await readArtefact(name);
  // Ours cannot be given another Permit2, so it never raises this one.
  const raised = interfaceOf(wanted).filter((entry) => entry !== 'error InvalidPermit2Address()');
  expect(interfaceOf(abi)).toEqual(expect.arrayContaining(raised));
});

test('addresses are written with their checksum, as official clients want them', () => {
  expect(Object.values(contractAddresses)).toEqual(
    Object.values(contractAddresses).map((address) => getAddress(address)),
  );
});
