import { openCashWorld } from '../../../tests/support/cash-world.ts';
import { describeScheme } from '../../../tests/support/describe-scheme.ts';
import { openEip155World } from '../../../tests/support/eip155-world.ts';
import { signOffer } from '../../../tests/support/pay.ts';
import { useTestChain } from '../../../tests/support/test-chain.ts';
import { exactEip155 } from './exact-eip155/exact-eip155.ts';

const chain = useTestChain();

describeScheme('exact with EIP-3009', () =>
  openEip155World(chain, {
    scheme: exactEip155,
    sign: (account, offer, { expiresAt, uniquenessKey }) =>
      signOffer(account, offer, {
        ...(expiresAt === undefined ? {} : { validBefore: String(expiresAt) }),
        ...(uniquenessKey === undefined ? {} : { nonce: uniquenessKey }),
      }),
  }),
);
describeScheme('cash', async () => openCashWorld().scheme);
