import { setTimeout as wait } from 'node:timers/promises';
import { Big } from 'big.js';
import { openRandom, type SeededRandom } from '../sandbox/openrouter/seeded-random.ts';
import type { Farebox } from '../src/main.ts';
import { openCreator, type Call } from './publish-resource.ts';
import { makeWallet, readOffer, signPayment, type Wallet } from './sign-payments.ts';

/** Of the larger of two sums. */
const TOLERANCE = '0.001';
const IN_FLIGHT = 16;
const SETTLED_WITHIN_MS = 300_000;

/** What goes wrong with some of the calls: a refusal, answers that break off or fail, and one that tells no cost. */
const faults = ['usage_missing', 'stream_cut', 'ok_finish_error', '503'] as const;
const FAULT_EVERY = 12;

interface Agreement {
  lines: string[];
  isAgreed: boolean;
}

interface Seller {
  name: string;
  apiKey: string;
  call: Call;
  payTo: Wallet['address'];
  urls: string[];
  /** What its account had spent before. */
  spentUsd: Big;
}

/**
 * Makes seeded calls of mixed resources: prices that are fixed and that follow from the input, each settlement point, as JSON
 * and as streams, on credit and on keys of the providers (BYOK), with answers that fail, break off or tell no cost. Then the
 * simulator's own accounts, the usage log, the dashboards, the ledger and the chain are held against each other.
 */
export async function runAgreement(
  farebox: Pick<Farebox, 'publicUrl' | 'database' | 'sandbox'>,
  { calls, seed }: { calls: number; seed: string },
): Promise<Agreement> {
  const { openRouter, chain } = farebox.sandbox ?? {};
  if (!openRouter || !chain) {
    throw new Error('This needs the sandbox.');
  }
  const sellers = [
    await openSeller(farebox.publicUrl, { name: 'credit', apiKey: openRouter.keys.healthy, upstream: openRouter.url }),
    await openSeller(farebox.publicUrl, {
      name: 'byok',
      apiKey: openRouter.keys.ownProviderKey,
      upstream: openRouter.url,
    }),
  ];
  const random = openRandom(seed);
  const left = Array.from({ length: calls }, () => plan(random, sellers));
  // One call of a wallet at a time: how much a wallet is trusted with is not what is looked at.
  const work = async (): Promise<void> => {
    const wallet = makeWallet();
    await chain.faucet.send(wallet.address);
    for (let next = left.pop(); next; next = left.pop()) {
      if (next.fault) {
        openRouter.control.fail(next.fault, { times: 1 });
      }
      await buy(next, wallet);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  openRouter.control.clearFaults();
  await untilClosed(farebox);
  const sides = [];
  for (const seller of sellers) {
    const chargedUsd = (await readSpent(openRouter.url, seller.apiKey)).minus(seller.spentUsd);
    sides.push(await compareSums(farebox, seller, chargedUsd));
  }
  return { lines: sides.flatMap(({ lines }) => lines), isAgreed: sides.every(({ isAgreed }) => isAgreed) };
}

const text = { name: 'topic', type: 'string', required: true, maxLength: 200 };
const config = { modelId: 'openai/gpt-4o-mini', systemPrompt: 'Write about {topic}{/topic}.', maxTokens: 120 };
const priceFormula = { baseUsdc: '0.001', terms: [{ parameter: 'topic', per: 'character', usdc: '0.00003' }] };

const drafts = [
  { slug: 'fixed', priceUsdc: '0.004', config },
  { slug: 'by-input', priceUsdc: '0.008', priceFormula, config },
  { slug: 'streamed', priceUsdc: '0.003', settlementPoint: 'at_first_output', config },
  { slug: 'first', priceUsdc: '0.002', settlementPoint: 'upfront', config },
  { slug: 'other-model', priceUsdc: '0.01', config: { ...config, modelId: 'anthropic/claude-haiku-4.5' } },
];

async function openSeller(
  publicUrl: string,
  { name, apiKey, upstream }: { name: string; apiKey: string; upstream: string },
): Promise<Seller> {
  const username = `agree-${name}`;
  const call = await openCreator(publicUrl, username);
  await call('PUT', '/api/user/integrations/openrouter', { apiKey });
  const payTo = makeWallet().address;
  for (const draft of drafts) {
    const common = { kind: 'openrouter_instant', category: 'ai', network: 'eip155:84532', payTo, parameters: [text] };
    const { id } = await call('POST', '/api/resources', { ...common, name: draft.slug, ...draft });
    await call('POST', `/api/resources/${String(id)}/publish`, {});
  }
  const urls = drafts.map(({ slug }) => `${publicUrl}/@${username}/${slug}`);
  return { name, apiKey, call, payTo, urls, spentUsd: await readSpent(upstream, apiKey) };
}

interface Planned {
  url: string;
  body: string;
  wantsEvents: boolean;
  fault: (typeof faults)[number] | null;
}

function plan(random: SeededRandom, sellers: readonly Seller[]): Planned {
  const { urls } = sellers[random.integer(0, sellers.length - 1)] as Seller;
  const topic = random.base62(random.integer(3, 200));
  return {
    url: urls[random.integer(0, urls.length - 1)] as string,
    body: JSON.stringify({ topic }),
    wantsEvents: random.integer(0, 2) === 0,
    fault: random.integer(1, FAULT_EVERY) === 1 ? random.pick(faults) : null,
  };
}

/** What comes of it, an answer or a failure, is not judged here: whoever counts it has to count it alike. */
async function buy({ url, body, wantsEvents }: Planned, wallet: Wallet): Promise<void> {
  const headers = { 'Content-Type': 'application/json', ...(wantsEvents ? { Accept: 'text/event-stream' } : {}) };
  const { header } = signPayment(wallet, await readOffer(url, { headers, body }));
  const answer = await fetch(url, { method: 'POST', headers: { ...headers, 'PAYMENT-SIGNATURE': header }, body });
  await answer.arrayBuffer().catch(() => null);
}

/** Of what is owed only what is run again by itself: the rest waits for its buyer, who does not come back here. */
const OPEN = `
  SELECT (SELECT count(*)::int FROM calls WHERE state IN ('claimed', 'running', 'settling', 'pending', 'fulfilling')
      OR (state = 'owed' AND input IS NOT NULL AND runs < 3 AND trust_usd IS NULL)) AS calls,
    (SELECT count(*)::int FROM usage_cost_lookups WHERE done_at IS NULL) AS lookups`;

/** Owed calls are run again, and costs that were not told are asked for, by jobs that come by themselves. */
async function untilClosed({ database }: Pick<Farebox, 'database'>): Promise<void> {
  const until = Date.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const { rows } = await database.system.query<{ calls: number; lookups: number }>(OPEN);
    const [open] = rows;
    if (open?.calls === 0 && open.lookups === 0) {
      return;
    }
    if (Date.now() > until) {
      throw new Error(`These did not come to an end: ${JSON.stringify(open)}`);
    }
    await wait(200);
  }
}

/** On credit and at the providers, as the simulator has counted it. */
async function readSpent(url: string, apiKey: string): Promise<Big> {
  const response = await fetch(`${url}/key`, { headers: { Authorization: `Bearer ${apiKey}` } });
  const { data } = (await response.json()) as { data: { usage: number; byok_usage: number } };
  return new Big(data.usage).plus(data.byok_usage);
}

const LOGGED = `
  SELECT coalesce(sum(cost_usd), 0)::text AS cost, count(*) FILTER (WHERE cost_usd IS NULL AND status <> 'refused')::int AS unknown,
    count(*)::int AS calls, coalesce(sum(amount_atomic) FILTER (WHERE transaction IS NOT NULL), 0)::text AS earned
  FROM x402_prompt_template_usage_logs WHERE owner_id = (SELECT id FROM users WHERE username = $1)`;
const BOOKED = `SELECT coalesce(sum(amount_atomic), 0)::text AS earned FROM ledger_entries WHERE account = $1`;

async function compareSums(
  farebox: Pick<Farebox, 'database' | 'sandbox'>,
  { name, call, payTo }: Seller,
  chargedUsd: Big,
): Promise<Agreement> {
  const { system } = farebox.database;
  type Logged = { cost: string; unknown: number; calls: number; earned: string };
  const [logged] = (await system.query<Logged>(LOGGED, [`agree-${name}`])).rows;
  const [booked] = (await system.query<{ earned: string }>(BOOKED, [`creator:${payTo.toLowerCase()}`])).rows;
  const { current } = (await call('GET', '/api/usage/summary')) as {
    current: Record<'revenueUsdc' | 'costUsd' | 'marginUsd', string>;
  };
  const usdc = (atomic: string | undefined): Big => new Big(atomic ?? '0').div(1_000_000);
  const earned = usdc(logged?.earned);
  const balance = usdc(String(await farebox.sandbox?.chain?.balanceAtomic(payTo)));
  const pairs: [string, Big, Big][] = [
    ['cost: simulator, log', chargedUsd, new Big(logged?.cost ?? 0)],
    ['cost: simulator, dashboards', chargedUsd, new Big(current.costUsd)],
    ['revenue: chain, log', balance, earned],
    ['revenue: chain, ledger', balance, usdc(booked?.earned)],
    ['revenue: chain, dashboards', balance, new Big(current.revenueUsdc)],
    ['margin: chain less simulator, dashboards', balance.minus(chargedUsd), new Big(current.marginUsd)],
  ];
  const judged = pairs.map(([what, one, other]) => ({ what, one, other, isClose: isClose(one, other) }));
  const lines = judged.map(
    ({ what, one, other, isClose: agrees }) =>
      `${agrees ? 'agrees ' : 'DIFFERS'} ${name}: ${what}: ${one.toFixed()} and ${other.toFixed()} (${one.minus(other).toFixed()})`,
  );
  const counted = `${name}: ${logged?.calls} calls in the log, ${logged?.unknown} of them of unknown cost`;
  return { lines: [counted, ...lines], isAgreed: judged.every(({ isClose: agrees }) => agrees) };
}

function isClose(one: Big, other: Big): boolean {
  const larger = one.abs().gt(other.abs()) ? one.abs() : other.abs();
  return one.minus(other).abs().lte(larger.times(TOLERANCE));
}
