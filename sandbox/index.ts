/**
 * What stands in for the outside world in sandbox mode: a local chain with test USDC and a faucet, and a simulated
 * OpenRouter. Only the files that wire, tests and bench import it. Nothing here outlives the process that started it, and nothing here
 * pretends to be real: answers, usage and money are marked.
 */
export { describeSandbox } from './chain/describe-sandbox.ts';
export { openFaucet } from './chain/open-faucet.ts';
export { contractAddresses, readArtefact } from './chain/read-artefact.ts';
export { untilLeftoverIsGone } from './chain/spawn-anvil.ts';
export { startChain } from './chain/start-chain.ts';
export type { Chain } from './chain/start-chain.ts';
export { startOpenRouterSimulator } from './openrouter/start-simulator.ts';
export type { OpenRouterSimulator } from './openrouter/start-simulator.ts';
export { faults as simulatorFaults } from './openrouter/faults.ts';
export { openSandbox } from './open-sandbox.ts';
export type { Sandbox } from './open-sandbox.ts';
export { seedDemo } from './seed-demo.ts';
