import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Abi, Address, Hex } from 'viem';

interface Artefact {
  abi: Abi;
  runtimeBytecode: Hex;
}

export type ArtefactName =
  | 'test-usdc'
  | 'multicall3'
  | 'permit2'
  | 'exact-permit2-proxy'
  | 'upto-permit2-proxy'
  | 'contract-wallet';

/** Where official clients look for each contract on Base Sepolia. */
export const contractAddresses = {
  usdc: '0x036CbD53842c5426634e7929541eC2318f3dCF7e',
  multicall3: '0xcA11bde05977b3631167028862bE2a173976CA11',
  permit2: '0x000000000022D473030F116dDEE9F6B43aC78BA3',
  exactPermit2Proxy: '0x402085c248EeA27D92E8b30b2C58ed07f9E20001',
  uptoPermit2Proxy: '0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002',
} as const;

export const placedContracts: readonly { artefact: ArtefactName; address: Address }[] = [
  { artefact: 'test-usdc', address: contractAddresses.usdc },
  { artefact: 'multicall3', address: contractAddresses.multicall3 },
  { artefact: 'permit2', address: contractAddresses.permit2 },
  { artefact: 'exact-permit2-proxy', address: contractAddresses.exactPermit2Proxy },
  { artefact: 'upto-permit2-proxy', address: contractAddresses.uptoPermit2Proxy },
];

/** The code of a contract of the local chain; Permit2 comes without an ABI. */
export async function readArtefact(name: ArtefactName): Promise<Artefact> {
  const text = await readFile(join(import.meta.dirname, 'artefacts', `${name}.json`), 'utf8');
  const { abi = [], runtimeBytecode } = JSON.parse(text) as { abi?: Abi; runtimeBytecode: Hex };
  return { abi, runtimeBytecode };
}
