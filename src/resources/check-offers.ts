import { formatUsdc, parseUsdc, Problem, type FieldProblem } from '#kit/index.ts';
import type { Draft } from './draft.ts';
import type { VersionOffer } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';

type OfferDeps = Pick<ResourcesDeps, 'payable' | 'checkPayTo' | 'maxPriceAtomic'>;
type OffersCheck = { offers: VersionOffer[] } | { fields: FieldProblem[] };

/** An offer as the draft states it; what is null is still missing. */
interface Wanted {
  scheme: string;
  network: string | null;
  payTo: string | null;
  priceUsdc: string | null;
}

type Check<T> = { value: T } | { message: string };
type OfferCheck = { offer: VersionOffer } | { problems: { name: keyof Wanted; message: string }[] };

const USUAL_SCHEME = 'exact';
const DEFAULT_MAX_PRICE_ATOMIC = 1_000_000_000n;

/** The offers of a draft in its creator's order, or everything that is wrong with them; none when it is free. */
export function checkOffers(deps: OfferDeps, draft: Draft): OffersCheck {
  if (isFree(deps, draft.priceUsdc)) {
    const message = 'A resource that is free takes no payments: remove these offers, or set a price.';
    return draft.furtherOffers.length === 0 ? { offers: [] } : { fields: [{ path: '/furtherOffers', message }] };
  }
  const { scheme = USUAL_SCHEME, network, payTo, priceUsdc } = draft;
  const first: Wanted = { scheme, network, payTo, priceUsdc };
  const checkedFirst = checkOffer(deps, first);
  const checks = [checkedFirst, ...draft.furtherOffers.map((given) => checkOffer(deps, inherit(first, given)))];
  const fields = checks.flatMap((check, index): FieldProblem[] => {
    if ('offer' in check) {
      return [];
    }
    const path = toPath(index);
    const given = draft.furtherOffers[index - 1];
    // What a further offer takes from a first one with problems is reported once, where it stands.
    const isToReport = (name: keyof Wanted) => !given || 'offer' in checkedFirst || given[name] !== undefined;
    return check.problems
      .filter(({ name }) => isToReport(name))
      .map(({ name, message }) => ({ path: `${path}/${name}`, message }));
  });
  const offers = checks.flatMap((check) => ('offer' in check ? [check.offer] : []));
  const all = [...fields, ...findRepeated(checks)];
  return all.length === 0 ? { offers } : { fields: all };
}

/** What can be no offer's whatever else the draft holds: a price that is none, a payee whom nobody can pay … */
export function checkOfferShapes(deps: OfferDeps, given: Partial<Draft>, draft: Draft): FieldProblem[] {
  const first = checkOfferShape(deps, given, { path: '', network: draft.network });
  const further = (given.furtherOffers ?? []).flatMap((offer, index) =>
    checkOfferShape(deps, offer, { path: toPath(index + 1), network: offer.network }),
  );
  return [...first, ...further];
}

type GivenOffer = { [Name in keyof Wanted]?: Wanted[Name] | undefined };

function checkOfferShape(
  deps: OfferDeps,
  given: GivenOffer,
  { path, network }: { path: string; network: string | null },
): FieldProblem[] {
  const { scheme, priceUsdc, payTo } = given;
  const checks: [keyof Wanted, Check<unknown> | null][] = [
    ['priceUsdc', isGiven(priceUsdc) ? checkPrice(deps, priceUsdc) : null],
    ['scheme', isGiven(scheme) ? checkScheme(deps, scheme) : null],
    // Whether this scheme can be paid there may change with the scheme: that is told, not refused.
    ['network', isGiven(given.network) ? checkNetwork(deps, { scheme: '', network: given.network }) : null],
    ['payTo', isGiven(payTo) ? checkPayeeSomewhere(deps, payTo, network) : null],
  ];
  return checks.flatMap(([name, check]) =>
    check !== null && 'message' in check ? [{ path: `${path}/${name}`, message: check.message }] : [],
  );
}

function isGiven(value: string | null | undefined): value is string {
  return value !== null && value !== undefined;
}

/** On its network; while none that is offered here is chosen, on any of them. */
function checkPayeeSomewhere(deps: OfferDeps, payTo: string, network: string | null): Check<string> {
  const networks = deps.payable.map((way) => way.network);
  const asked = network !== null && networks.includes(network) ? [network] : networks;
  const checks = asked.map((one) => deps.checkPayTo(one, payTo));
  return checks.find((check) => 'value' in check) ?? checks[0] ?? { value: payTo };
}

function toPath(index: number): string {
  return index === 0 ? '' : `/furtherOffers/${index - 1}`;
}

function inherit(first: Wanted, given: Draft['furtherOffers'][number]): Wanted {
  const { network, scheme = first.scheme, payTo = first.payTo, priceUsdc = first.priceUsdc } = given;
  return { scheme, network, payTo, priceUsdc };
}

function isFree(deps: OfferDeps, priceUsdc: string | null): boolean {
  const price = checkPrice(deps, priceUsdc);
  return 'value' in price && price.value === 0n;
}

function checkOffer(deps: OfferDeps, wanted: Wanted): OfferCheck {
  const scheme = checkScheme(deps, wanted.scheme);
  const network = checkNetwork(deps, wanted);
  const price = checkChargedPrice(deps, wanted.priceUsdc);
  const payTo = checkPayee(deps, wanted.payTo, 'value' in network ? network.value : null);
  if ('value' in scheme && 'value' in network && 'value' in price && 'value' in payTo) {
    const offer = { scheme: scheme.value, network: network.value, amountAtomic: price.value, payTo: payTo.value };
    return { offer };
  }
  const checks = { priceUsdc: price, scheme, network, payTo };
  const problems = (Object.keys(checks) as (keyof Wanted)[]).flatMap((name) => {
    const check = checks[name];
    return 'message' in check ? [{ name, message: check.message }] : [];
  });
  return { problems };
}

function checkScheme({ payable }: OfferDeps, scheme: string): Check<string> {
  const schemes = [...new Set(payable.map((way) => way.scheme))];
  return schemes.includes(scheme)
    ? { value: scheme }
    : { message: `Choose one of the payment schemes offered here: ${schemes.join(', ')}.` };
}

function checkNetwork({ payable }: OfferDeps, { scheme, network }: Pick<Wanted, 'scheme' | 'network'>): Check<string> {
  const isKnown = payable.some((way) => way.scheme === scheme);
  const networks = [...new Set(payable.filter((way) => !isKnown || way.scheme === scheme).map((way) => way.network))];
  return network !== null && networks.includes(network)
    ? { value: network }
    : { message: `Choose one of the networks offered here: ${networks.join(', ')}.` };
}

function checkPrice(deps: OfferDeps, priceUsdc: string | null): Check<bigint> {
  const maxPriceAtomic = deps.maxPriceAtomic ?? DEFAULT_MAX_PRICE_ATOMIC;
  if (priceUsdc === null) {
    return { message: 'Set a price in USDC; "0" is free.' };
  }
  if (/^\d{10,}(\.\d+)?$/.test(priceUsdc)) {
    return { message: `The price is at most ${formatUsdc(maxPriceAtomic)} USDC here.` };
  }
  try {
    const value = parseUsdc(priceUsdc);
    return value <= maxPriceAtomic
      ? { value }
      : { message: `The price is at most ${formatUsdc(maxPriceAtomic)} USDC here.` };
  } catch (error) {
    return { message: error instanceof Problem ? error.message : 'This is not an amount of USDC.' };
  }
}

function checkChargedPrice(deps: OfferDeps, priceUsdc: string | null): Check<bigint> {
  const price = checkPrice(deps, priceUsdc);
  return 'value' in price && price.value === 0n
    ? { message: 'Either the resource is free or every offer has a price: set one above 0.' }
    : price;
}

/** How an address is written depends on its network, so it is checked only where that is known. */
function checkPayee(deps: OfferDeps, payTo: string | null, network: string | null): Check<string> {
  if (payTo === null) {
    return { message: 'Give the address that is paid.' };
  }
  return network === null ? { value: payTo } : deps.checkPayTo(network, payTo);
}

/** A payment names scheme, network and asset, so two offers with the same could not be told apart. */
function findRepeated(checks: readonly OfferCheck[]): FieldProblem[] {
  const seen = new Set<string>();
  return checks.flatMap((check, index) => {
    if (!('offer' in check)) {
      return [];
    }
    const { scheme, network } = check.offer;
    const key = `${scheme} ${network}`;
    const isRepeated = seen.has(key);
    seen.add(key);
    const message = `An offer above takes payments of the scheme "${scheme}" on ${network} already.`;
    return isRepeated ? [{ path: `${toPath(index)}/network`, message }] : [];
  });
}
