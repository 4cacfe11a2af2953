/**
 * Compiles contracts/*.sol into sandbox/chain/artefacts/, the code that the sandbox places on its local chain.
 *
 *   npm run contracts               writes the artefacts
 *   npm run contracts -- --check    writes nothing, fails when an artefact is not what the sources compile to
 *
 * The output depends on nothing but the sources and the pinned compiler: no paths, no metadata hash.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import solc from 'solc';
import { sha256Hex } from '#kit/index.ts';

const root = join(import.meta.dirname, '..');
const sourceFolder = join(root, 'contracts');
const artefactFolder = join(root, 'sandbox/chain/artefacts');

/** Contract -> artefact file. The other sources are parts of these. */
const artefacts: Record<string, string> = {
  TestUSDC: 'test-usdc.json',
  Multicall3: 'multicall3.json',
  ExactPermit2Proxy: 'exact-permit2-proxy.json',
  UptoPermit2Proxy: 'upto-permit2-proxy.json',
  ContractWallet: 'contract-wallet.json',
};

const settings = {
  optimizer: { enabled: true, runs: 10_000 },
  evmVersion: 'cancun',
  metadata: { appendCBOR: false, bytecodeHash: 'none' },
};

interface CompilerOutput {
  errors?: { severity: string; formattedMessage: string }[];
  contracts?: Record<string, Record<string, CompiledContract>>;
}

interface CompiledContract {
  abi: unknown[];
  evm: { deployedBytecode: { object: string; immutableReferences: object } };
}

async function readSources(): Promise<Record<string, { content: string }>> {
  const names = (await readdir(sourceFolder)).filter((name) => name.endsWith('.sol')).sort();
  const read = async (name: string) => [name, { content: await readFile(join(sourceFolder, name), 'utf8') }] as const;
  return Object.fromEntries(await Promise.all(names.map(read)));
}

function compile(sources: Record<string, { content: string }>): Record<string, Record<string, CompiledContract>> {
  const outputSelection = {
    '*': { '*': ['abi', 'evm.deployedBytecode.object', 'evm.deployedBytecode.immutableReferences'] },
  };
  const input = { language: 'Solidity', sources, settings: { ...settings, outputSelection } };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as CompilerOutput;
  if (output.errors?.length) {
    throw new Error(output.errors.map((error) => error.formattedMessage).join('\n'));
  }
  return output.contracts ?? {};
}

async function buildArtefacts(): Promise<Map<string, string>> {
  const sources = await readSources();
  const compiled = compile(sources);
  const sourceSha256 = Object.fromEntries(
    Object.entries(sources).map(([name, { content }]) => [name, sha256Hex(content)]),
  );
  const texts = new Map<string, string>();
  for (const [contract, file] of Object.entries(artefacts)) {
    const found = compiled[`${contract}.sol`]?.[contract];
    if (!found || Object.keys(found.evm.deployedBytecode.immutableReferences).length > 0) {
      throw new Error(`${contract} is missing or has immutables, which placed code cannot have.`);
    }
    const artefact = {
      contract,
      compiler: `solc ${solc.version()}`,
      settings,
      sourceSha256: pickSources(contract, sources, sourceSha256),
      abi: found.abi,
      runtimeBytecode: `0x${found.evm.deployedBytecode.object}`,
    };
    texts.set(file, `${JSON.stringify(artefact, null, 2)}\n`);
  }
  return texts;
}

/** The contract's own file and everything that it imports. */
function pickSources(
  contract: string,
  sources: Record<string, { content: string }>,
  sha256: Record<string, string>,
): Record<string, string | undefined> {
  const wanted = new Set([`${contract}.sol`]);
  for (const name of wanted) {
    for (const [, imported] of (sources[name]?.content ?? '').matchAll(/from "\.\/(\w+\.sol)"/g)) {
      wanted.add(imported ?? '');
    }
  }
  return Object.fromEntries([...wanted].sort().map((name) => [name, sha256[name]]));
}

const isCheck = process.argv.includes('--check');
for (const [file, text] of await buildArtefacts()) {
  const path = join(artefactFolder, file);
  if (!isCheck) {
    await writeFile(path, text);
    console.log(`wrote ${file} (${text.length} bytes)`);
  } else if ((await readFile(path, 'utf8').catch(() => '')) !== text) {
    console.error(`${file} is not what contracts/ compiles to. Run: npm run contracts`);
    process.exitCode = 1;
  }
}
