import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostileJson, hostileMembers } from '../../../tests/support/hostile-json.ts';
import { makeAccount, makeOffer, pay, SANDBOX_NETWORK } from '../../../tests/support/pay.ts';
import { eip155Networks } from '../networks.ts';
import type { Offer } from '../offer.ts';
import type { Payment } from '../payment.ts';
import { lookUp } from '../schemes/exact-eip155/look-up.ts';
import { readTransfers } from '../schemes/exact-eip155/transfers.ts';
import { openChainReader } from './eip155/chain-reader.ts';
import type { Eip155Chain } from './eip155/chain.ts';
import { readGas } from './eip155/check-gas.ts';
import { RpcError, RpcUnreachable, type JsonRpc } from './eip155/json-rpc.ts';
import { findRange, findTime } from './eip155/find-block.ts';
import { openFacilitatorHttp } from './facilitator-http.ts';

/* What a node or a facilitator answers is not known to hold what it should: nothing of it may break what reads it. */
const names = `
  address topics transactionHash blockNumber logIndex data removed logs number timestamp baseFeePerGas`
  .trim()
  .split(/\s+/);
const network = eip155Networks[SANDBOX_NETWORK];
const clock = { now: () => 1_800_000_000_000 };
let offer: Offer;
let payment: Payment;

beforeAll(async () => {
  offer = makeOffer();
  payment = await pay(makeAccount(), offer);
});

/** A log of the asset, as far as one can see. */
const hostileLog = hostileMembers(names).map((log) => ({ address: network?.asset.address, ...log }));
const hostileAnswer = fc.oneof(hostileJson(names), hostileMembers(names), fc.array(hostileLog, { maxLength: 2 }));

/** Answers in turn, each of them as often as it is asked for; then it is out of reach. */
function openHostileRpc(answers: readonly unknown[]): JsonRpc {
  let asked = 0;
  return {
    call: async () => {
      asked += 1;
      if (asked > 20) {
        throw new RpcUnreachable('out of reach');
      }
      return answers[asked % answers.length];
    },
    close: async () => {},
  };
}

/** What is wrong with the error, if one was thrown that does not say that the chain cannot tell. */
async function findFault(ask: Promise<unknown>): Promise<unknown> {
  try {
    await ask;
    return null;
  } catch (error) {
    return error instanceof RpcUnreachable || error instanceof RpcError ? null : error;
  }
}

test('a node that answers anything is one that cannot tell', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(hostileAnswer, { minLength: 1, maxLength: 4 }), async (answers) => {
      const open = () => {
        const rpc = openHostileRpc(answers);
        return { rpc, network, reader: openChainReader({ rpc, clock }) } as unknown as Eip155Chain;
      };
      const inquiry = {
        payer: payment.payer,
        views: [],
        transaction: { target: offer.asset, data: '0x' },
        isDoubtful: () => false,
      };
      const faults = await Promise.all([
        findFault(lookUp(open(), payment, { offer, nowMs: clock.now() })),
        findFault(findRange(open().rpc, { seconds: 10, lagSeconds: 1 })),
        findFault(findTime(open().rpc, `0x${'1'.repeat(64)}`)),
        findFault(readGas({ chain: open(), addresses: [offer.payTo], gasLimit: 1n })),
        findFault(open().reader.hasCode(offer.payTo)),
        findFault(open().reader.inspect(inquiry)),
      ]);
      expect(faults.filter((fault) => fault !== null)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('a receipt that holds anything shows no transfer', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(hostileLog, hostileJson(names))), hostileJson(names), (logs, receipt) => {
      const shown = [{ logs }, receipt].flatMap((one) => network && readTransfers(network, one));
      expect(shown).toEqual([]);
    }),
  );
});

let body = '{}';
const server = createServer((_, response) => {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
});
beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

test('a facilitator that supports anything does not settle here', async () => {
  const ofKinds = ['kinds', 'x402Version', 'scheme', 'network'];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(hostileMembers(ofKinds), hostileJson(ofKinds))), async (kinds) => {
      body = JSON.stringify({ kinds });
      const { port } = server.address() as AddressInfo;
      const http = openFacilitatorHttp({ url: `http://127.0.0.1:${port}`, clock });
      try {
        expect(network && (await http.findVersion('exact', network))).toBeNull();
      } finally {
        await http.close();
      }
    }),
    { numRuns: 50 },
  );
});
