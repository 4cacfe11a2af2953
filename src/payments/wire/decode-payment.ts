import { isObject, safeParse } from '#kit/index.ts';
import { findNetwork, findNetworkByV1Name, findScheme, type SchemeList } from '../find-scheme.ts';
import type { Accepted, Payment } from '../payment.ts';
import type { Scheme } from '../schemes/scheme.ts';
import { decodeBase64Json, encodeBase64Json } from './base64-json.ts';
import { readEchoed, withoutSecrets, type Echoed } from './buyer-secret.ts';
import { describeShape } from './describe-shape.ts';
import { envelopeV1, envelopeV2 } from './envelopes.ts';

const MAX_HEADER_CHARACTERS = 8192;

export type DecodedPayment =
  | { ok: true; payment: Payment }
  | { ok: false; problem: 'invalid_payload' | 'invalid_x402_version' | 'too_large'; detail: string };

interface PaymentHeaders {
  /** PAYMENT-SIGNATURE (version 2); preferred when both are sent. */
  paymentSignature?: string | undefined;
  /** X-PAYMENT (version 1). */
  xPayment?: string | undefined;
}

interface Header {
  name: string;
  value: object;
  raw: string;
}

/** Reads the payment header. `detail` names the field and what was expected, never what a parser threw. */
export function decodePayment(list: SchemeList, headers: PaymentHeaders): DecodedPayment {
  const name = headers.paymentSignature === undefined ? 'X-PAYMENT' : 'PAYMENT-SIGNATURE';
  const raw = headers.paymentSignature ?? headers.xPayment ?? '';
  if (raw.length > MAX_HEADER_CHARACTERS) {
    return refuse('too_large', `${name} is longer than ${MAX_HEADER_CHARACTERS} characters.`);
  }
  const value = decodeBase64Json(raw);
  if (!isObject(value)) {
    return refuse('invalid_payload', `${name} is not base64 of a JSON object.`);
  }
  const version = 'x402Version' in value ? value.x402Version : undefined;
  if (version === 2) {
    return decodeV2(list, { name, value, raw });
  }
  return version === 1
    ? decodeV1(list, { name, value, raw })
    : refuse('invalid_x402_version', `${name} must say x402Version 1 or 2.`);
}

function decodeV1(list: SchemeList, header: Header): DecodedPayment {
  const parsed = safeParse(envelopeV1, header.value);
  if (!parsed.success) {
    return refuse('invalid_payload', `${header.name}: ${describeShape(parsed.error, '', 'payments')}`);
  }
  const { scheme, network, payload } = parsed.data;
  const caip2 = findNetworkByV1Name(list, network)?.caip2 ?? network;
  return decodeWithScheme(list, header, { x402Version: 1, scheme, network: caip2, payload, schemeField: 'scheme' });
}

function decodeV2(list: SchemeList, header: Header): DecodedPayment {
  const parsed = safeParse(envelopeV2, header.value);
  if (!parsed.success) {
    return refuse('invalid_payload', `${header.name}: ${describeShape(parsed.error, '', 'payments')}`);
  }
  const { accepted, payload, extensions } = parsed.data;
  const { scheme, network } = accepted;
  const echoed = readEchoed(extensions);
  const raw = extensions ? encodeBase64Json({ ...header.value, extensions: withoutSecrets(extensions) }) : header.raw;
  return decodeWithScheme(
    list,
    { ...header, raw },
    {
      x402Version: 2,
      scheme,
      network,
      payload,
      accepted,
      ...(echoed ? { echoed } : {}),
      schemeField: 'accepted.scheme',
    },
  );
}

interface Enveloped {
  x402Version: 1 | 2;
  scheme: string;
  network: string;
  payload: unknown;
  accepted?: Accepted;
  echoed?: Echoed;
  schemeField: string;
}

function decodeWithScheme(list: SchemeList, header: Header, given: Enveloped): DecodedPayment {
  const { schemeField, payload, ...envelope } = given;
  const scheme = chooseScheme(list, envelope);
  if (!scheme) {
    const names = [...new Set(list.schemes.map(({ name }) => `"${name}"`))].join(' or ');
    return refuse('invalid_payload', `${header.name}: "${schemeField}" is not valid: expected the scheme ${names}.`);
  }
  const network = findNetwork(list, envelope.network);
  const decoded = scheme.decode(payload, { network, accepted: envelope.accepted });
  return decoded.ok
    ? { ok: true, payment: { ...envelope, ...decoded.parts, raw: header.raw } }
    : refuse('invalid_payload', `${header.name}: ${decoded.detail}`);
}

/** On an unknown network, a scheme of that name still checks the payload's shape; no offer will match. */
function chooseScheme(list: SchemeList, wanted: { scheme: string; network: string }): Scheme | null {
  return findScheme(list, wanted) ?? list.schemes.find(({ name }) => name === wanted.scheme) ?? null;
}

function refuse(problem: (DecodedPayment & { ok: false })['problem'], detail: string): DecodedPayment {
  return { ok: false, problem, detail };
}
