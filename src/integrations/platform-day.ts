export const DAY_MS = 86_400_000;

/** The day by UTC, as `YYYY-MM-DD`, in which something on the operator's key counts. */
export function toDay(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}
