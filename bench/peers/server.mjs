// What one writes today to sell a prompt per call: Express, the official middleware and the openai client.
// SETTLER=sdk settles with the SDK's facilitator in this process, SETTLER=farebox with our settler behind its interface.
import { x402Facilitator } from '@x402/core/facilitator';
import { toFacilitatorEvmSigner } from '@x402/evm';
import { ExactEvmScheme as ExactFacilitator } from '@x402/evm/exact/facilitator';
import { ExactEvmScheme } from '@x402/evm/exact/server';
import { paymentMiddleware, x402ResourceServer } from '@x402/express';
import express from 'express';
import OpenAI from 'openai';
import { createPublicClient, createWalletClient, http, nonceManager } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { baseSepolia } from 'viem/chains';

const { SETTLER, RPC_URL, SETTLER_PRIVATE_KEY, OPENROUTER_BASE_URL, OPENROUTER_API_KEY, PAY_TO, PRICE_USDC } =
  process.env;
const NETWORK = 'eip155:84532';

function openSdkFacilitator() {
  // viem waits 4 s between looks unless told; our settler looks at least every 60 ms.
  const options = { chain: baseSepolia, transport: http(RPC_URL), pollingInterval: 30, cacheTime: 0 };
  const account = privateKeyToAccount(SETTLER_PRIVATE_KEY, { nonceManager });
  const reader = createPublicClient(options);
  const writer = createWalletClient({ ...options, account });
  const signer = toFacilitatorEvmSigner({
    address: account.address,
    readContract: (args) => reader.readContract({ ...args, args: args.args ?? [] }),
    verifyTypedData: (args) => reader.verifyTypedData(args),
    writeContract: (args) => writer.writeContract(args),
    sendTransaction: (args) => writer.sendTransaction(args),
    waitForTransactionReceipt: (args) => reader.waitForTransactionReceipt(args),
    getCode: (args) => reader.getCode(args),
  });
  return new x402Facilitator().register(NETWORK, new ExactFacilitator(signer));
}

async function openOurFacilitator() {
  const { decodePayment, exactEip155, openEmbeddedSettlers, openPayments, settlePayment, verifyPayment } =
    await import('../../src/payments/index.ts');
  const payments = openPayments({
    schemes: [exactEip155],
    openSettlers: openEmbeddedSettlers,
    networks: [NETWORK],
    rpcUrls: new Map([[NETWORK, RPC_URL]]),
    facilitatorUrls: [],
    settlerPrivateKeys: [SETTLER_PRIVATE_KEY],
    clock: { now: () => Date.now() },
    log: { debug() {}, info() {}, warn: console.error, error: console.error },
  });
  const read = (payload, { amount, ...rest }) => {
    const header = Buffer.from(JSON.stringify(payload)).toString('base64');
    const decoded = decodePayment(payments, { paymentSignature: header });
    return { payment: decoded.payment, offer: { ...rest, amountAtomic: BigInt(amount) } };
  };
  return {
    getSupported: async () => ({
      kinds: [{ x402Version: 2, scheme: 'exact', network: NETWORK }],
      extensions: [],
      signers: {},
    }),
    async verify(payload, requirements) {
      const { payment, offer } = read(payload, requirements);
      const verdict = await verifyPayment(payments, payment, offer);
      return { isValid: verdict.ok, invalidReason: verdict.reason, payer: payment.payer };
    },
    async settle(payload, requirements) {
      const { payment, offer } = read(payload, requirements);
      const settled = await settlePayment(payments, payment, offer);
      return {
        success: settled.status === 'settled',
        transaction: settled.transaction ?? '',
        errorReason: settled.reason,
        network: NETWORK,
        payer: payment.payer,
      };
    },
  };
}

const facilitator = SETTLER === 'farebox' ? await openOurFacilitator() : openSdkFacilitator();
// The middleware expects promises; some functions of the facilitator in this process return plain values.
const client = {
  getSupported: async () => facilitator.getSupported(),
  verify: (payload, requirements) => facilitator.verify(payload, requirements),
  settle: (payload, requirements) => facilitator.settle(payload, requirements),
};
const resources = new x402ResourceServer(client).register(NETWORK, new ExactEvmScheme());
const openai = new OpenAI({ baseURL: OPENROUTER_BASE_URL, apiKey: OPENROUTER_API_KEY });
const app = express();
app.use(
  paymentMiddleware(
    {
      'POST /haiku': {
        accepts: { scheme: 'exact', price: `$${PRICE_USDC}`, network: NETWORK, payTo: PAY_TO },
        description: 'A haiku about the topic that you name.',
      },
    },
    resources,
  ),
);
app.use(express.json());
app.post('/haiku', async (req, res) => {
  const completion = await openai.chat.completions.create({
    model: 'openai/gpt-4o-mini',
    max_tokens: 120,
    messages: [{ role: 'user', content: `Write a haiku about ${req.body.topic}.` }],
  });
  res.json({ response: completion.choices[0].message.content });
});
const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/haiku` }));
});
process.once('SIGTERM', () => process.exit(0));
