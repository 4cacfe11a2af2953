/** What becomes of a job; `stuck` is under way for ever. */
export type JobEnd = 'completed' | 'failed' | 'cancelled' | 'expired' | 'stuck';
