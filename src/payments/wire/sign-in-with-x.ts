import { z } from 'zod';
import { safeParse, type Json } from '#kit/index.ts';
import { decodeBase64Json } from './base64-json.ts';

/** Extension of x402 version 2: a wallet signs an EIP-4361 message instead of paying again. */
export const SIGN_IN_WITH_X = 'sign-in-with-x';
export const SIGN_IN_HEADER = 'SIGN-IN-WITH-X';

const VALID_FOR_MS = 5 * 60_000;
/** Between two clocks. */
const SKEW_MS = 60_000;
const MAX_HEADER_CHARACTERS = 8192;
const STATEMENT = 'Fetch the answer that this wallet has paid for. Nothing is charged.';

/** One line each, so that no field can write another one into the message. */
const line = z
  .string()
  .max(2048)
  .regex(/^[^\p{Cc}]*$/u);
const time = line.refine((text) => !Number.isNaN(Date.parse(text)));

const shape = z.object({
  domain: line,
  address: line.regex(/^0x[0-9a-fA-F]{40}$/),
  statement: line.optional(),
  uri: line,
  version: z.literal('1'),
  chainId: line,
  type: z.literal('eip191'),
  nonce: line.regex(/^[A-Za-z0-9]{8,}$/),
  issuedAt: time,
  expirationTime: time.optional(),
  notBefore: time.optional(),
  requestId: line.optional(),
  resources: z.array(line).max(8).optional(),
  signature: line.regex(/^0x(?:[0-9a-fA-F]{2})+$/),
});

type SignIn = z.output<typeof shape>;

/** What is signed for, and by whom. */
export interface SignInTerms {
  /** Absolute; its origin is the domain. */
  url: string;
  /** CAIP-2. */
  network: string;
  nonce: string;
  nowMs: number;
}

/** The extension as an answer declares it; what a client signs is made of `info`. */
export function declareSignIn({ url, network, nonce, nowMs }: SignInTerms): { [name: string]: Json } {
  const texts = ['domain', 'address', 'statement', 'uri', 'version', 'chainId', 'type', 'nonce', 'issuedAt'];
  const names = [...texts, 'expirationTime', 'signature'];
  return {
    info: {
      domain: new URL(url).host,
      uri: url,
      statement: STATEMENT,
      version: '1',
      nonce,
      issuedAt: new Date(nowMs).toISOString(),
      expirationTime: new Date(nowMs + VALID_FOR_MS).toISOString(),
    },
    supportedChains: [{ chainId: network, type: 'eip191' }],
    schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
      required: names.filter((name) => name !== 'statement' && name !== 'expirationTime'),
    },
  };
}

/**
 * The message and the signature of a SIGN-IN-WITH-X header that is for exactly these terms, now, and says to come from
 * `address`; otherwise null. Whether that wallet signed it is for its scheme to say.
 */
export function readSignIn(
  header: string,
  terms: SignInTerms & { address: string },
): { message: string; signature: string } | null {
  const parsed = header.length <= MAX_HEADER_CHARACTERS ? safeParse(shape, decodeBase64Json(header)) : null;
  if (!parsed?.success) {
    return null;
  }
  const { data } = parsed;
  const isMeant =
    data.address.toLowerCase() === terms.address &&
    data.domain === new URL(terms.url).host &&
    data.uri === terms.url &&
    data.chainId === terms.network &&
    data.nonce === terms.nonce;
  return isMeant && isCurrent(data, terms.nowMs) ? { message: toMessage(data), signature: data.signature } : null;
}

function isCurrent({ issuedAt, expirationTime, notBefore }: SignIn, nowMs: number): boolean {
  const age = nowMs - Date.parse(issuedAt);
  return (
    age <= VALID_FOR_MS &&
    age >= -SKEW_MS &&
    (expirationTime === undefined || Date.parse(expirationTime) > nowMs) &&
    (notBefore === undefined || Date.parse(notBefore) <= nowMs)
  );
}

/** EIP-4361. */
function toMessage(signIn: SignIn): string {
  const { domain, address, statement, uri, version, chainId, nonce, issuedAt } = signIn;
  const optional: [string, string | undefined][] = [
    ['Expiration Time', signIn.expirationTime],
    ['Not Before', signIn.notBefore],
    ['Request ID', signIn.requestId],
  ];
  return [
    `${domain} wants you to sign in with your Ethereum account:`,
    address,
    '',
    ...(statement === undefined ? [''] : [statement, '']),
    `URI: ${uri}`,
    `Version: ${version}`,
    `Chain ID: ${chainId.slice(chainId.indexOf(':') + 1)}`,
    `Nonce: ${nonce}`,
    `Issued At: ${issuedAt}`,
    ...optional.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`])),
    ...(signIn.resources ? ['Resources:', ...signIn.resources.map((resource) => `- ${resource}`)] : []),
  ].join('\n');
}
