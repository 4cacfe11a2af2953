/** EIP-3009 authorisation as the payer signed it. Addresses and nonce in lower case; numbers in plain decimal digits. */
export interface Authorization {
  from: string;
  to: string;
  value: string;
  validAfter: string;
  validBefore: string;
  nonce: string;
}

/** A payment whose shape has been checked and nothing else. Plain JSON, so that it can be stored and settled later. */
export interface Payment {
  x402Version: 1 | 2;
  scheme: 'exact';
  /** CAIP-2, or the name that the client wrote where version 1 has no such network (no offer matches it). */
  network: string;
  /** Lower case. */
  payer: string;
  /** Lower case: the payment's identity together with network, asset and payer. */
  nonce: string;
  authorization: Authorization;
  /** `0x` and hexadecimal digits; 65 bytes unless a contract wallet signed. */
  signature: string;
  /** Version 2: the offer that the client says it accepts. Never trusted, only compared. */
  accepted?: Accepted;
  /** The header as it came, for facilitators. */
  raw: string;
}

export interface Accepted {
  scheme: string;
  network: string;
  amount: string;
  asset: string;
  payTo: string;
  maxTimeoutSeconds: number;
  extra?: Record<string, unknown> | null | undefined;
}
