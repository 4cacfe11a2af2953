import { findScheme, type SchemeList } from './find-scheme.ts';
import type { Chain } from './network.ts';
import type { Payment } from './payment.ts';
import { readSignIn, type SignInTerms } from './wire/sign-in-with-x.ts';

interface SignInDeps extends SchemeList {
  chains: ReadonlyMap<string, Chain>;
}

/**
 * Whether a SIGN-IN-WITH-X header shows that its sender has the wallet of this payment, for these terms and now. `false` too
 * where wallets of the payment's scheme sign no messages. Rejects when a contract wallet has to be asked and cannot be;
 * `mayAskChain` is asked before that, because its code decides what it costs.
 */
export async function checkSignIn(
  deps: SignInDeps,
  header: string,
  asked: { payment: Payment; terms: SignInTerms; mayAskChain: () => Promise<boolean> },
): Promise<boolean> {
  const { payment, terms, mayAskChain } = asked;
  const scheme = findScheme(deps, payment);
  const chain = deps.chains.get(payment.network);
  const signed = readSignIn(header, { ...terms, address: payment.payer });
  return scheme?.isSignedText && chain && signed
    ? scheme.isSignedText(chain, payment.payer, { ...signed, mayAskChain })
    : false;
}
