import { createSIWxPayload, encodeSIWxHeader, type CompleteSIWxInfo } from '@x402/extensions/sign-in-with-x';
import type { PrivateKeyAccount } from 'viem/accounts';

interface SignInExtension {
  info: Omit<CompleteSIWxInfo, 'chainId' | 'type'>;
  supportedChains: { chainId: string; type: 'eip191' }[];
}

/** SIGN-IN-WITH-X as the SDK makes it from the declaration in a refusal. */
export async function signIn(
  refused: { body: Record<string, unknown> },
  signer: PrivateKeyAccount,
  changes: Partial<CompleteSIWxInfo> = {},
): Promise<string> {
  const extensions = refused.body['extensions'] as { 'sign-in-with-x': SignInExtension };
  const { info, supportedChains } = extensions['sign-in-with-x'];
  const [chain] = supportedChains;
  if (!chain) {
    throw new Error('no chain to sign in with');
  }
  const signed = { ...info, ...chain, ...changes };
  return encodeSIWxHeader(await createSIWxPayload(signed, signer, signed.uri));
}
