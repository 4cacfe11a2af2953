import { Problem } from './errors.ts';

const USDC_DECIMALS = 6;
const USDC_PATTERN = /^(0|[1-9]\d{0,8})(\.\d{1,6})?$/;
const TOO_LARGE_PATTERN = /^[1-9]\d{9,99}(\.\d{1,6})?$/;

/** `"0.01"` -> `10000n`: atomic units of USDC (6 decimals). Throws `invalid_input` for anything but a plain decimal. */
export function parseUsdc(text: string): bigint {
  if (TOO_LARGE_PATTERN.test(text)) {
    throw new Problem('invalid_input', { detail: `${text.slice(0, 40)} USDC is too large an amount.` });
  }
  if (!USDC_PATTERN.test(text)) {
    throw new Problem('invalid_input', {
      detail: `"${text.slice(0, 40)}" is not an amount of USDC. Write a plain decimal with at most 6 places, such as "0.01".`,
    });
  }
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole) * 10n ** BigInt(USDC_DECIMALS) + BigInt(fraction.padEnd(USDC_DECIMALS, '0'));
}

/** The same, or null for what is no amount. */
export function findUsdc(text: string): bigint | null {
  return USDC_PATTERN.test(text) ? parseUsdc(text) : null;
}

/** `10000n` -> `"0.01"`: the shortest exact decimal. */
export function formatUsdc(amountAtomic: bigint): string {
  const sign = amountAtomic < 0n ? '-' : '';
  const digits = (amountAtomic < 0n ? -amountAtomic : amountAtomic).toString().padStart(USDC_DECIMALS + 1, '0');
  const whole = digits.slice(0, -USDC_DECIMALS);
  const fraction = digits.slice(-USDC_DECIMALS).replace(/0+$/, '');
  return sign + (fraction ? `${whole}.${fraction}` : whole);
}
