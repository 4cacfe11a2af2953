/** Answers that are fetched later are kept for a day after the last change of their call. */
export const LONG_RETENTION_SECONDS = 86_400;
