export type Severity = 'info' | 'warning' | 'critical';

/** A model that can stand in for another, and what a typical call would cost on it. */
export interface SubstituteOffer {
  model: string;
  costUsd: string;
  /** More or less than now. */
  differenceUsd: string | null;
}

interface UsedModel {
  model: string;
  /** Slugs of the owner's resources that ask it. */
  resources: string[];
}

/** What each event tells. Texts of strangers stand in it: `tell` makes each of them one plain line. */
export interface EventData {
  key_refused: { service: string; provider: string; problem: string; paused: string[]; stillSelling: string[] };
  credits_low: { service: string; provider: string; percent: number; leftUsd: string; ofUsd: string };
  limit_used: {
    service: string;
    provider: string;
    percent: number;
    leftUsd: string;
    ofUsd: string;
    reset: string | null;
  };
  model_expiring: UsedModel & { date: string; days: number; substitutes: SubstituteOffer[] };
  model_gone: UsedModel & { substitutes: SubstituteOffer[] };
  model_price_changed: UsedModel & { before: ModelPrice; after: ModelPrice };
  margin_negative: {
    slug: string;
    priceUsdc: string;
    /** What a call typically costs by the prices of now; null where nobody knows. */
    typicalUsd: string | null;
    /** Of the last 24 hours; null where what was earned covered the cost. */
    lost: { earnedUsdc: string; costUsd: string } | null;
  };
  error_spike: { slug: string; failures: number; calls: number; usualPercent: number; problem: string | null };
  calls_owed: { slug: string; calls: number; since: string };
  settler_gas_low: { network: string; settlements: number; addresses: string[] };
  spend_cap_used: TakenCap & { percent: number };
  spend_cap_reached: TakenCap & {
    /** What calls under way hold of what is spent. */
    heldUsd: string;
    refused: { slug: string; worstUsd: string; runs: number };
    /** What a call of does not fit any more, by slug. */
    resources: string[];
  };
  calls_refused: { slug: string; code: string; cause: string };
  operator_key_refused: { provider: string; problem: string };
  resource_paused: { slug: string; cause: string };
  resource_resumed: { resources: string[] };
  channel_failed: { channel: string; problem: string };
}

/** What an owner is willing to spend a day, and what is taken of it. */
interface TakenCap {
  scope: 'key' | 'resource' | 'payer';
  /** A slug, the address of a wallet, or nothing of the key. */
  subject: string;
  /** It bounds each of them by itself. */
  isEach: boolean;
  perDayUsd: string;
  spentUsd: string;
  resetsAt: string;
}

/** USD per million tokens; null where it is not told. */
export interface ModelPrice {
  prompt: string | null;
  completion: string | null;
}

export type EventName = keyof EventData;

interface Text {
  severity: Severity;
  title: string;
  body: string;
}

const MOST_NAMED = 20;

function list(names: readonly string[]): string {
  const named = names.slice(0, MOST_NAMED).join(', ');
  return names.length > MOST_NAMED ? `${named} and ${names.length - MOST_NAMED} more` : named;
}

const used = (names: readonly string[]): string => (names.length === 0 ? '' : ` Used by: ${list(names)}.`);

function substitutes(offers: readonly SubstituteOffer[]): string {
  const named = offers.map(({ model, costUsd, differenceUsd }) => {
    const more = differenceUsd === null ? '' : `, ${differenceUsd.startsWith('-') ? '' : '+'}${differenceUsd} USD`;
    return `${model} (${costUsd} USD a call${more})`;
  });
  return named.length === 0
    ? ' No model of the catalogue can do all that it does.'
    : ` What can do all that it does: ${named.join('; ')}.`;
}

const dollars = ({ prompt, completion }: ModelPrice): string =>
  `${prompt ?? 'unknown'} and ${completion ?? 'unknown'} USD`;

function whose({ scope, subject }: TakenCap): string {
  return { key: 'on your own keys', resource: `for ${subject}`, payer: `for the calls of ${subject}` }[scope];
}

function raising({ scope, isEach }: TakenCap): string {
  const which = {
    key: '',
    resource: isEach ? '' : ' and its id as "subject"',
    payer: isEach ? '' : ' and its address as "subject"',
  };
  return `To go on before, raise it: PUT /api/user/spend-caps with "scope": "${scope}"${which[scope]} and another "perDayUsd".`;
}

/** The closed list: how urgent each event is, and its text. */
const describers: { readonly [Name in EventName]: (data: EventData[Name]) => Text } = {
  key_refused: ({ provider, problem, paused, stillSelling }) => ({
    severity: 'critical',
    title: `${provider} refuses what you connected`,
    body:
      problem +
      (paused.length === 0 ? '' : ` Paused for it: ${list(paused)}.`) +
      (stillSelling.length === 0 ? '' : ` Still sold, on the operator's key: ${list(stillSelling)}.`),
  }),
  credits_low: ({ provider, percent, leftUsd, ofUsd }) => ({
    severity: percent >= 90 ? 'critical' : 'warning',
    title: `${percent} % of your ${provider} credits are used`,
    body: `${leftUsd} of ${ofUsd} USD are left. What is sold on them pauses when they are used up.`,
  }),
  limit_used: ({ provider, percent, leftUsd, ofUsd, reset }) => ({
    severity: percent >= 90 ? 'critical' : 'warning',
    title: `${percent} % of the limit of your ${provider} key is used`,
    body: `${leftUsd} of ${ofUsd} USD are left${reset === null ? '' : `; it is whole again ${reset}`}. What is sold on this key pauses when nothing is left.`,
  }),
  model_expiring: ({ model, date, days, resources, substitutes: offers }) => ({
    severity: days <= 7 ? 'critical' : 'warning',
    title: `${model} ends on ${date}`,
    body: `It is no longer served after that day.${used(resources)}${substitutes(offers)}`,
  }),
  model_gone: ({ model, resources, substitutes: offers }) => ({
    severity: 'critical',
    title: `${model} is no longer offered`,
    body: `What asks only this model cannot be sold.${used(resources)}${substitutes(offers)}`,
  }),
  model_price_changed: ({ model, before, after, resources }) => ({
    severity: 'warning',
    title: `${model} has another price`,
    body:
      dollars(before) === dollars(after)
        ? `A million tokens of prompt and answer still cost ${dollars(after)}; something else has another price, such as pictures, searches or cached tokens.${used(resources)}`
        : `A million tokens of prompt and answer did cost ${dollars(before)} and now cost ${dollars(after)}.${used(resources)}`,
  }),
  margin_negative: ({ slug, priceUsdc, typicalUsd, lost }) => ({
    severity: 'critical',
    title: `You lose money with ${slug}`,
    body:
      `Its price is ${priceUsdc} USDC.` +
      (typicalUsd === null ? '' : ` A call typically costs you ${typicalUsd} USD.`) +
      (lost === null ? '' : ` In the last 24 hours it brought ${lost.earnedUsdc} USDC and cost ${lost.costUsd} USD.`),
  }),
  error_spike: ({ slug, failures, calls, usualPercent, problem }) => ({
    severity: 'critical',
    title: `Calls of ${slug} fail`,
    body: `${failures} of ${calls} calls of the last hours failed; usual are ${usualPercent} %.${problem === null ? '' : ` Mostly: ${problem}.`} The usage log tells the cause of each.`,
  }),
  calls_owed: ({ slug, calls, since }) => ({
    severity: 'critical',
    title: `${calls === 1 ? 'A buyer waits' : `${calls} buyers wait`} for what they paid at ${slug}`,
    body: `${calls === 1 ? 'One call is' : `${calls} calls are`} paid and not answered, the oldest since ${since}. They are run again by themselves while that may help; the usage log tells why they fail.`,
  }),
  settler_gas_low: ({ network, settlements, addresses }) => ({
    severity: settlements < 100 ? 'critical' : 'warning',
    title: `Gas for about ${settlements} settlements is left on ${network}`,
    body: `Fund ${list(addresses)}. Without gas nothing is settled there: calls are run, and their buyers wait.`,
  }),
  spend_cap_used: (cap) => ({
    severity: 'warning',
    title: `${cap.percent} % of what you spend a day ${whose(cap)} is used`,
    body: `${cap.spentUsd} of ${cap.perDayUsd} USD are spent or held for calls under way. Calls that do not fit any more are refused until ${cap.resetsAt}. ${raising(cap)}`,
  }),
  spend_cap_reached: ({ heldUsd, refused, resources, ...cap }) => ({
    severity: 'critical',
    title: `What you spend a day ${whose(cap)} is reached`,
    body:
      `You spend at most ${cap.perDayUsd} USD; ${cap.spentUsd} are taken, ${heldUsd} of them held for calls under way.` +
      ` ${refused.runs > 1 ? `A batch of ${refused.runs} inputs` : 'A call'} of ${refused.slug}, which may cost up to ${refused.worstUsd} USD, was refused.` +
      (resources.length === 0 ? '' : ` Not sold for it: ${list(resources)}.`) +
      (cap.scope === 'payer' ? ' Calls of other wallets go on.' : '') +
      ` It ends by itself at ${cap.resetsAt}, or when calls did cost less than was held for them. ${raising(cap)}`,
  }),
  calls_refused: ({ slug, cause }) => ({
    severity: 'warning',
    title: `Calls of ${slug} were refused`,
    body: `${cause} They were refused before a payment was taken. This is told once a day; the usage log has examples.`,
  }),
  operator_key_refused: ({ provider, problem }) => ({
    severity: 'critical',
    title: `${provider} refuses the key that you lend to creators`,
    body: `${problem} What runs on it is not sold.`,
  }),
  resource_paused: ({ slug, cause }) => ({
    severity: 'critical',
    title: `${slug} is not sold any more`,
    body: cause,
  }),
  resource_resumed: ({ resources }) => ({
    severity: 'info',
    title: resources.length === 1 ? `${list(resources)} is sold again` : `${resources.length} resources are sold again`,
    body: `What kept buyers away from ${list(resources)} is gone.`,
  }),
  channel_failed: ({ channel, problem }) => ({
    severity: 'warning',
    title: `Notices could not be sent by ${channel}`,
    body: `${problem} What was to be sent stands in your inbox.`,
  }),
};

export const eventNames = Object.keys(describers) as [EventName, ...EventName[]];

export function describeEvent<Name extends EventName>(name: Name, data: EventData[Name]): Text {
  return describers[name](data);
}
