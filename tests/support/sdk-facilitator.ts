import { x402Facilitator } from '@x402/core/facilitator';
import { x402ResourceServer } from '@x402/core/server';
import type { PaymentPayload, PaymentRequirements } from '@x402/core/types';
import { toFacilitatorEvmSigner } from '@x402/evm';
import { ExactEvmScheme as ExactFacilitator } from '@x402/evm/exact/facilitator';
import { ExactEvmSchemeV1 as ExactFacilitatorV1 } from '@x402/evm/exact/v1/facilitator';
import { parseEther } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import type { Offer } from '#payments/index.ts';
import { makeAccount, SANDBOX_NETWORK, toRequirement } from './pay.ts';
import type { TestChain } from './test-chain.ts';

/** The SDK's facilitator signer on the test chain, sending as `settler`. */
export function toSdkSigner({ client }: Pick<TestChain, 'client'>, settler: PrivateKeyAccount) {
  return toFacilitatorEvmSigner({
    address: settler.address,
    readContract: (args) => client.readContract({ ...args, args: args.args ?? [], account: settler }),
    verifyTypedData: (args) => client.verifyTypedData(args as Parameters<typeof client.verifyTypedData>[0]),
    writeContract: (args) => client.writeContract({ ...args, account: settler }),
    sendTransaction: (args) => client.sendTransaction({ ...args, account: settler }),
    waitForTransactionReceipt: (args) => client.waitForTransactionReceipt(args),
    getCode: (args) => client.getCode(args),
  });
}

/** The reference: what the SDK's own resource server and facilitator say about a payment. */
export async function openSdkFacilitator(chain: TestChain): Promise<x402Facilitator> {
  const settler = makeAccount();
  await chain.current.fund(settler.address, parseEther('10'));
  const signer = toSdkSigner(chain, settler);
  const facilitator = new x402Facilitator();
  facilitator.register(SANDBOX_NETWORK, new ExactFacilitator(signer));
  facilitator.registerV1('base-sepolia' as never, new ExactFacilitatorV1(signer));
  return facilitator;
}

export interface Opinion {
  isTaken: boolean;
  reason: string;
}

const server = new x402ResourceServer();

/** What a seller built on the SDK would decide: requirements matched first, then the facilitator asked. */
export async function askSdk(facilitator: x402Facilitator, envelope: unknown, offer: Offer): Promise<Opinion> {
  try {
    const payload = envelope as PaymentPayload;
    const requirement = toRequirementFor(payload.x402Version, offer);
    if (payload.x402Version === 2 && !server.findMatchingRequirements([requirement], payload)) {
      return { isTaken: false, reason: 'no matching requirements' };
    }
    const verdict = await facilitator.verify(payload, requirement);
    return { isTaken: verdict.isValid, reason: verdict.invalidReason ?? '' };
  } catch {
    return { isTaken: false, reason: 'threw' };
  }
}

function toRequirementFor(x402Version: number, offer: Offer): PaymentRequirements {
  const requirement = toRequirement(offer);
  if (x402Version === 1) {
    const { amount, ...rest } = requirement;
    return { ...rest, network: 'base-sepolia', maxAmountRequired: amount } as unknown as PaymentRequirements;
  }
  return requirement as unknown as PaymentRequirements;
}
