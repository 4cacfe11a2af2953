import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#kit/index.ts';
import type { Offer } from '../offer.ts';
import type { Payment } from '../payment.ts';
import { reasons } from '../schemes/exact-eip3009.ts';
import type { Verdict } from '../verdict.ts';
import type { Chain } from './chain.ts';
import { FACILITATOR_TIMEOUT_MS, openFacilitatorHttp, type FacilitatorHttp } from './facilitator-http.ts';
import { findTransfer, isTransferOf } from './find-transfer.ts';
import { isRecord } from './json-rpc.ts';
import type { Log, Settler, SettlerOutcome, SettlerReadiness } from './settler.ts';
import { toFacilitatorRequest } from './to-facilitator-request.ts';
import { pairTransfers, toLogs } from './transfers.ts';

interface FacilitatorOptions {
  url: string;
  chains: ReadonlyMap<string, Chain>;
  clock: Clock;
  log: Log;
  timeoutMs?: number | undefined;
}

/** Reasons that a facilitator finds before it sends anything. All others may come after. */
const BEFORE_SENDING: ReadonlySet<string> = new Set([
  reasons.network,
  reasons.signature,
  reasons.recipient,
  reasons.validBefore,
  reasons.validAfter,
  reasons.value,
  reasons.valueV1,
  reasons.balance,
  reasons.simulation,
  reasons.undeployedWallet,
  'insufficient_funds',
  'invalid_exact_evm_scheme',
  'invalid_exact_evm_missing_eip712_domain',
  'invalid_exact_evm_payload_signature',
  'invalid_exact_evm_payload_recipient_mismatch',
  'invalid_payload',
  'invalid_payment_requirements',
]);

/** Our node may hear of a block a little later than the facilitator's. */
const RECEIPT_PAUSE_MS = 250;
const RPC_RESERVE_MS = 6_000;

const TRANSACTION = /^0x[0-9a-f]{64}$/i;

/** Settles through a remote x402 facilitator (`/supported`, `/verify`, `/settle`). */
export function openFacilitatorSettler(options: FacilitatorOptions): Settler {
  const { chains, log, timeoutMs = FACILITATOR_TIMEOUT_MS } = options;
  const http = openFacilitatorHttp(options);

  async function settle(payment: Payment, offer: Offer): Promise<SettlerOutcome> {
    const x402Version = await http.findVersion(offer.network);
    if (x402Version === null) {
      return { status: 'unavailable', reason: 'facilitator_does_not_serve_network' };
    }
    const answer = await http.post('/settle', toFacilitatorRequest(x402Version, payment, offer));
    if (answer.kind === 'not_sent') {
      return { status: 'unavailable', reason: answer.reason };
    }
    return answer.kind === 'lost' ? pending() : judge(answer.body, payment, offer);
  }

  async function judge(body: Record<string, unknown>, payment: Payment, offer: Offer): Promise<SettlerOutcome> {
    const { success, transaction, errorReason } = body;
    const hash = typeof transaction === 'string' && TRANSACTION.test(transaction) ? transaction.toLowerCase() : null;
    if (success === true && hash) {
      return confirm(hash, payment, offer);
    }
    const reason = typeof errorReason === 'string' ? errorReason.slice(0, 100) : '';
    if (success === false && hash === null && BEFORE_SENDING.has(reason)) {
      return { status: 'refused', reason };
    }
    log.warn({ facilitator: http.origin, reason }, 'a facilitator left open what became of a payment');
    return reason === reasons.nonceUsed ? findOut(payment, offer) : pending();
  }

  /** A facilitator's word is not the chain's: our own endpoint has to show the transfer, unless it does not answer. */
  async function confirm(transaction: string, payment: Payment, offer: Offer): Promise<SettlerOutcome> {
    const settled: SettlerOutcome = { status: 'settled', transaction, network: offer.network };
    const chain = chains.get(offer.network);
    const shown = chain && (await showsTransfer({ chain, transaction, withinMs: timeoutMs }, payment, offer));
    if (shown === false) {
      log.error(
        { facilitator: http.origin, transaction },
        'a facilitator reported a settlement that the chain does not show',
      );
      return pending();
    }
    if (shown === 'unreadable') {
      log.warn(
        { facilitator: http.origin, transaction },
        'a settlement was taken from a facilitator: the chain was deaf',
      );
    }
    return settled;
  }

  /** The nonce is used: by this payment (then it is paid, whoever sent it) or by another. */
  async function findOut(payment: Payment, offer: Offer): Promise<SettlerOutcome> {
    const chain = chains.get(offer.network);
    const looking = chain ? findTransfer(chain.rpc, payment, { offer }).catch(() => null) : null;
    const found = await Promise.race([looking, wait(timeoutMs, null, { ref: false })]);
    switch (found?.kind) {
      case 'transferred':
        return { status: 'settled', transaction: found.transaction, network: offer.network };
      case 'spent':
        return { status: 'refused', reason: reasons.nonceUsed };
      default:
        return pending();
    }
  }

  return {
    name: `facilitator ${http.origin}`,
    supports: (network) => chains.has(network),
    settle,
    // What it serves, the settlement, and what the chain says to it.
    limitMs: 3 * timeoutMs + RPC_RESERVE_MS,
    verify: (payment, offer) => verify(http, payment, offer),
    checkReady: (network) => checkReady(http, network),
    stop: () => http.close(),
  };
}

async function verify(http: FacilitatorHttp, payment: Payment, offer: Offer): Promise<Verdict> {
  const x402Version = await http.findVersion(offer.network);
  const answer =
    x402Version === null ? null : await http.post('/verify', toFacilitatorRequest(x402Version, payment, offer));
  if (answer?.kind === 'answered' && isRecord(answer.body)) {
    const { isValid, invalidReason } = answer.body;
    if (isValid === true) {
      return { ok: true };
    }
    if (isValid === false && typeof invalidReason === 'string' && BEFORE_SENDING.has(invalidReason)) {
      return { ok: false, reason: invalidReason };
    }
  }
  return { ok: false, reason: reasons.cannotVerify, retryable: true };
}

async function checkReady(http: FacilitatorHttp, network: string): Promise<SettlerReadiness> {
  const x402Version = await http.findVersion(network);
  return x402Version === null
    ? { ready: false, cause: `${http.origin} does not answer, or does not settle "exact" on ${network}` }
    : { ready: true };
}

interface Shown {
  chain: Chain;
  transaction: string;
  withinMs: number;
}

/** Whether the receipt holds the transfer; a transaction that is not known yet is waited for. */
async function showsTransfer(shown: Shown, payment: Payment, offer: Offer): Promise<boolean | 'unreadable'> {
  const { chain, transaction, withinMs } = shown;
  const until = performance.now() + withinMs;
  for (;;) {
    const receipt = await chain.rpc.call('eth_getTransactionReceipt', [transaction]).catch(() => 'unreadable' as const);
    if (receipt === 'unreadable') {
      return 'unreadable';
    }
    if (isRecord(receipt)) {
      const transfers = pairTransfers(toLogs(receipt['logs'], offer.asset));
      return transfers.some((transfer) => isTransferOf(transfer, payment, offer));
    }
    if (performance.now() + RECEIPT_PAUSE_MS > until) {
      return false;
    }
    await wait(RECEIPT_PAUSE_MS);
  }
}

function pending(): SettlerOutcome {
  return { status: 'unknown', reason: reasons.pending };
}
