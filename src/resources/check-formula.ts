import { findUsdc, type FieldProblem } from '#kit/index.ts';
import type { Draft } from './draft.ts';
import { isAlwaysThere, type Parameter } from './parameter.ts';
import type { PriceTerm } from './price-formula.ts';

/** Each doubles the inputs whose margin is looked at. */
const MAX_TEXTS = 5;

/** What must hold of a price formula before it can be published; paths point into the draft. */
export function checkFormula({ priceFormula, priceUsdc, parameters }: Draft): FieldProblem[] {
  if (!priceFormula) {
    return [];
  }
  const { terms } = priceFormula;
  const found = terms.flatMap((term, index) =>
    checkTerm(term, parameters).map((message) => ({ path: `/priceFormula/terms/${index}`, message })),
  );
  const repeated = terms.flatMap(({ parameter }, index) =>
    terms.findIndex((term) => term.parameter === parameter) === index
      ? []
      : [{ path: `/priceFormula/terms/${index}/parameter`, message: 'Each parameter has one term at most.' }],
  );
  const texts = terms.filter((term) => 'per' in term && term.per === 'character').length;
  const tooMany = {
    path: '/priceFormula/terms',
    message: `At most ${MAX_TEXTS} texts can be priced by the character.`,
  };
  return [...found, ...repeated, ...(texts > MAX_TEXTS ? [tooMany] : []), ...checkMost(priceUsdc)];
}

/** A price that is none is told as such. */
function checkMost(priceUsdc: string | null): FieldProblem[] {
  const message = 'With a price formula this is the most that a call costs, whatever its input: set it above 0.';
  return priceUsdc === null || findUsdc(priceUsdc) === 0n ? [{ path: '/priceUsdc', message }] : [];
}

function checkTerm(term: PriceTerm, parameters: readonly Parameter[]): string[] {
  const parameter = parameters.find(({ name }) => name === term.parameter);
  if (!parameter) {
    return [`\`${term.parameter.slice(0, 40)}\` is none of the parameters.`];
  }
  return 'usdcByOption' in term ? checkOptions(term.usdcByOption, parameter) : checkUnit(term, parameter);
}

function checkOptions(usdcByOption: Readonly<Record<string, string>>, { type, options = [] }: Parameter): string[] {
  if (type !== 'enum') {
    return ['Prices by option are for parameters of the type "enum".'];
  }
  const missing = options.filter((option) => !Object.hasOwn(usdcByOption, option));
  const unknown = Object.keys(usdcByOption).filter((option) => !options.includes(option));
  return [
    ...(missing.length > 0 ? [`Every option needs a price; missing: ${quote(missing)}.`] : []),
    ...(unknown.length > 0 ? [`These are no options of it: ${quote(unknown)}.`] : []),
  ];
}

function quote(options: readonly string[]): string {
  return options
    .slice(0, 5)
    .map((option) => `"${option.slice(0, 40)}"`)
    .join(', ');
}

const typesOf = { value: ['number', 'integer'], character: ['string'], true: ['boolean'], given: null } as const;

function checkUnit({ per }: Exclude<PriceTerm, { usdcByOption: unknown }>, parameter: Parameter): string[] {
  const types: readonly string[] | null = typesOf[per];
  if (types !== null && !types.includes(parameter.type)) {
    return [`"${per}" counts parameters of the type ${types.map((type) => `"${type}"`).join(' or ')}.`];
  }
  if (per === 'value' && (parameter.minimum ?? -1) < 0) {
    return ['A number that is priced by its value needs a `minimum` of 0 or more: no input may make a call cheaper.'];
  }
  if (per === 'given' && isAlwaysThere(parameter)) {
    return ['This parameter is always there: what it costs belongs into `baseUsdc`.'];
  }
  return [];
}
