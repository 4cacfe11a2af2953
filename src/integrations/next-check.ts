const WAIT_MS = {
  good: 30 * 60_000,
  /** What is paused for a key comes back this soon after the key does. */
  bad: 4 * 60_000,
};

/** When a stored key is looked at again: `good` after one that works, `bad` after a refusal and where nothing was learnt. */
export function toNextCheck(nowMs: number, found: keyof typeof WAIT_MS): Date {
  return new Date(nowMs + WAIT_MS[found]);
}
