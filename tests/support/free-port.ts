export { findFreePort } from '#database/index.ts';
