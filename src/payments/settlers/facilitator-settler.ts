import { setTimeout as wait } from 'node:timers/promises';
import type { Clock, Log } from '#kit/index.ts';
import { findScheme, type SchemeList } from '../find-scheme.ts';
import { familyOf, type Chain } from '../network.ts';
import type { Offer } from '../offer.ts';
import type { Payment } from '../payment.ts';
import { reasons } from '../reasons.ts';
import type { Scheme } from '../schemes/scheme.ts';
import type { Verdict } from '../verdict.ts';
import {
  FACILITATOR_TIMEOUT_MS,
  openFacilitatorHttp,
  type FacilitatorAnswer,
  type FacilitatorHttp,
} from './facilitator-http.ts';
import type { Settler, SettlerDeps, SettlerOutcome, SettlerReadiness } from './settler.ts';
import { toFacilitatorRequest } from './to-facilitator-request.ts';

interface FacilitatorOptions extends SchemeList {
  url: string;
  chains: ReadonlyMap<string, Chain>;
  clock: Clock;
  log: Log;
  timeoutMs?: number | undefined;
}

/** What one settlement is about. */
interface Asked {
  scheme: Scheme;
  chain: Chain;
  payment: Payment;
  offer: Offer;
}

/** Our node may hear of a block a little later than the facilitator's. */
const RECEIPT_PAUSE_MS = 250;
const RPC_RESERVE_MS = 6_000;
const DOES_NOT_SERVE = 'facilitator_does_not_serve_network';

/** One settler for each facilitator, in their order. */
export function openFacilitatorSettlers({ facilitatorUrls, facilitatorTimeoutMs, ...deps }: SettlerDeps): Settler[] {
  return facilitatorUrls.map((url) => openFacilitatorSettler({ ...deps, url, timeoutMs: facilitatorTimeoutMs }));
}

interface Facilitator extends FacilitatorOptions {
  http: FacilitatorHttp;
  timeoutMs: number;
}

/** Settles through a remote x402 facilitator (`/supported`, `/verify`, `/settle`). */
function openFacilitatorSettler(options: FacilitatorOptions): Settler {
  const { timeoutMs = FACILITATOR_TIMEOUT_MS } = options;
  const facilitator: Facilitator = { ...options, timeoutMs, http: openFacilitatorHttp(options) };
  return {
    name: `facilitator ${facilitator.http.origin}`,
    supports: (network) => options.chains.has(network),
    settle: (payment, offer) => settle(facilitator, payment, offer),
    // What it serves, the settlement, and what the chain says to it.
    limitMs: 3 * timeoutMs + RPC_RESERVE_MS,
    verify: (payment, offer) => verify(facilitator, payment, offer),
    checkReady: (network) => checkReady(facilitator, network),
    stop: () => facilitator.http.close(),
  };
}

function toAsked(facilitator: Facilitator, payment: Payment, offer: Offer): Asked | null {
  const chain = facilitator.chains.get(offer.network);
  const scheme = findScheme(facilitator, offer);
  return chain && scheme ? { scheme, chain, payment, offer } : null;
}

async function post(facilitator: Facilitator, path: '/verify' | '/settle', asked: Asked): Promise<FacilitatorAnswer> {
  const { scheme, payment, offer, chain } = asked;
  const x402Version = await facilitator.http.findVersion(scheme.name, chain.network);
  if (x402Version === null) {
    return { kind: 'not_sent', reason: DOES_NOT_SERVE };
  }
  const body = toFacilitatorRequest({ x402Version, scheme, network: chain.network }, payment, offer);
  return facilitator.http.post(path, body);
}

async function settle(facilitator: Facilitator, payment: Payment, offer: Offer): Promise<SettlerOutcome> {
  const asked = toAsked(facilitator, payment, offer);
  if (!asked) {
    return { status: 'unavailable', reason: DOES_NOT_SERVE };
  }
  const answer = await post(facilitator, '/settle', asked);
  switch (answer.kind) {
    case 'not_sent':
      return { status: 'unavailable', reason: answer.reason };
    case 'lost':
      return pending();
    case 'answered':
      return judge(facilitator, asked, answer.body);
  }
}

async function judge(
  facilitator: Facilitator,
  asked: Asked,
  { success, transaction, errorReason }: Record<string, unknown>,
): Promise<SettlerOutcome> {
  const { reasons: own, family } = asked.scheme;
  const hash = typeof transaction === 'string' ? family.parseTransaction(transaction) : null;
  if (success === true && hash) {
    return confirm(facilitator, asked, hash);
  }
  const reason = typeof errorReason === 'string' ? errorReason.slice(0, 100) : '';
  if (success === false && hash === null && own.beforeSending.has(reason)) {
    return { status: 'refused', reason };
  }
  const fields = { facilitator: facilitator.http.origin, reason };
  facilitator.log.warn(fields, 'a facilitator left open what became of a payment');
  return reason === own.alreadyUsed ? findOut(facilitator, asked) : pending();
}

/** A facilitator's word is not the chain's: our own endpoint has to show the transfer, unless it does not answer. */
async function confirm(facilitator: Facilitator, asked: Asked, transaction: string): Promise<SettlerOutcome> {
  const { http, log, timeoutMs } = facilitator;
  const fields = { facilitator: http.origin, transaction };
  const shown = await showsTransfer(asked, { transaction, withinMs: timeoutMs });
  if (shown === false) {
    log.error(fields, 'a facilitator reported a settlement that the chain does not show');
    return pending();
  }
  if (shown === 'unreadable') {
    log.warn(fields, 'a settlement was taken from a facilitator: the chain did not answer');
  }
  return { status: 'settled', transaction, network: asked.offer.network };
}

/** It was used before: by this payment (then it is paid, whoever sent it) or by another. */
async function findOut({ clock, timeoutMs }: Facilitator, asked: Asked): Promise<SettlerOutcome> {
  const { scheme, chain, payment, offer } = asked;
  const looking = scheme.lookUp(chain, payment, { offer, nowMs: clock.now() }).catch(() => null);
  const found = await Promise.race([looking, wait(timeoutMs, null, { ref: false })]);
  switch (found?.status) {
    case 'settled':
      return { status: 'settled', transaction: found.transaction, network: offer.network };
    case 'expired':
      return { status: 'refused', reason: scheme.reasons.alreadyUsed };
    default:
      return pending();
  }
}

async function verify(facilitator: Facilitator, payment: Payment, offer: Offer): Promise<Verdict> {
  const asked = toAsked(facilitator, payment, offer);
  const answer = asked && (await post(facilitator, '/verify', asked));
  if (asked && answer?.kind === 'answered') {
    const { isValid, invalidReason } = answer.body;
    if (isValid === true) {
      return { ok: true };
    }
    const isFinal = typeof invalidReason === 'string' && asked.scheme.reasons.beforeSending.has(invalidReason);
    if (isValid === false && isFinal) {
      return { ok: false, reason: invalidReason };
    }
  }
  return { ok: false, reason: reasons.cannotVerify, retryable: true };
}

/** Ready when it serves one of the network's schemes. */
async function checkReady(facilitator: Facilitator, network: string): Promise<SettlerReadiness> {
  const { http, chains, schemes } = facilitator;
  const chain = chains.get(network);
  const names = schemes.flatMap(({ name, family }) => (family.name === familyOf(network) ? [name] : []));
  const versions = chain ? await Promise.all(names.map((name) => http.findVersion(name, chain.network))) : [];
  const wanted = names.map((name) => `"${name}"`).join(' or ');
  return versions.some((version) => version !== null)
    ? { ready: true }
    : { ready: false, cause: `${http.origin} does not answer, or does not settle ${wanted} on ${network}` };
}

/** Whether the receipt holds the transfer; a transaction that is not known yet is waited for. */
async function showsTransfer(
  { scheme, chain, payment, offer }: Asked,
  { transaction, withinMs }: { transaction: string; withinMs: number },
): Promise<boolean | 'unreadable'> {
  const until = performance.now() + withinMs;
  for (;;) {
    const receipt = await chain.findReceipt(transaction).catch(() => 'unreadable' as const);
    if (receipt === 'unreadable') {
      return 'unreadable';
    }
    if (receipt !== null && receipt !== undefined) {
      const transfers = scheme.readTransfers(chain.network, receipt);
      return transfers.some((transfer) => scheme.isTransferOf(transfer, payment, offer));
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
