import { sha256Hex } from '#kit/index.ts';
import type { PublishedVersion } from '#resources/index.ts';
import { recordCall } from '#usage/index.ts';
import { toCallRecord } from './call-record.ts';
import type { CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';

interface Asked {
  request: Pick<CallRequest, 'requestId' | 'clientAddress'>;
  version: PublishedVersion;
  /** Who signed a payment, or says so; null where none was sent. */
  payer: string | null;
}

const WINDOW_MS = 60_000;
/** Of one resource in a window, whoever asks: payers and addresses can be invented. */
const MAX_ROWS = 60;
const MAX_RESOURCES = 5_000;

/** What this process wrote in this window, and for which resources it counted a failure. */
interface Written {
  window: number;
  ids: Map<string, Set<string>>;
  counted: Set<string>;
}
const written = new WeakMap<GatewayDeps['database'], Written>();

interface Why {
  problem: string;
  cause: string;
  /** False: no failure of the resource, whoever asked. */
  isCounted?: boolean;
}

/**
 * Logs a call that was refused for a reason that the creator must know. A flood of refusals is no flood of rows: one row per
 * resource, cause and payer (or address) in a minute, over all processes, because the row's id is made of these. As a
 * failure of the resource counts one in a minute of each process: wallets that sign are made for nothing.
 */
export async function recordRefused(
  deps: Pick<GatewayDeps, 'database' | 'clock'>,
  asked: Asked,
  { isCounted = true, ...why }: Why,
): Promise<void> {
  const { request, version, payer } = asked;
  const now = deps.clock.now();
  const window = Math.floor(now / WINDOW_MS);
  const who = payer ?? request.clientAddress;
  const callId = toId([version.resourceId, why.problem, why.cause, who, String(window)].join('\n'));
  const current = openWindow(deps, window);
  if (!takeRow(current, version.resourceId, callId)) {
    return;
  }
  const isFree = version.priceAtomic === 0n;
  const isMeant = isCounted && (payer !== null || isFree) && !current.counted.has(version.resourceId);
  if (isMeant) {
    current.counted.add(version.resourceId);
  }
  const record = toCallRecord(
    { callId, requestId: request.requestId, version, startedAt: now },
    { status: 'refused', ...why, endedAt: now },
  );
  await recordCall(deps.database.system, { ...record, payer, isFree, isCounted: isMeant });
}

function openWindow({ database }: Pick<GatewayDeps, 'database'>, window: number): Written {
  const current = written.get(database);
  if (current?.window === window) {
    return current;
  }
  const opened = { window, ids: new Map<string, Set<string>>(), counted: new Set<string>() };
  written.set(database, opened);
  return opened;
}

function takeRow(current: Written, resourceId: string, callId: string): boolean {
  const ids = current.ids.get(resourceId) ?? new Set();
  if (ids.has(callId) || ids.size >= MAX_ROWS || (ids.size === 0 && current.ids.size >= MAX_RESOURCES)) {
    return false;
  }
  current.ids.set(resourceId, ids.add(callId));
  return true;
}

/** A UUID made of a hash (RFC 9562, version 8). */
function toId(text: string): string {
  const hex = sha256Hex(text);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
