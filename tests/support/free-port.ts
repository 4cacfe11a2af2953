export { findFreePort } from '#database/free-port.ts';
