import { Pool } from 'undici';
import { isObject, numberOf } from '#kit/index.ts';

/** The node answered, and said no. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  /** Revert data of eth_call, as 0x and digits. */
  readonly data: string | null;

  constructor(code: number, message: string, data: string | null) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** Nothing usable came back. Whether the node acted on the request is not known. */
export class RpcUnreachable extends Error {
  override readonly name = 'RpcUnreachable';
}

export interface JsonRpc {
  /** Calls made in the same turn of the event loop share one HTTP request. Rejects with RpcError or RpcUnreachable. */
  call(method: string, params: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

interface Waiting {
  method: string;
  params: readonly unknown[];
  resolve(result: unknown): void;
  reject(error: Error): void;
}

interface RpcOptions {
  url: string;
  timeoutMs?: number | undefined;
  /** Public endpoints commonly refuse longer batches. */
  maxBatch?: number;
  connections?: number;
}

const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;

export function openJsonRpc(options: RpcOptions): JsonRpc {
  const { timeoutMs = 5000, maxBatch = 100, connections = 8 } = options;
  const { origin, pathname, search } = new URL(options.url);
  const pool = new Pool(origin, { connections, maxResponseSize: MAX_RESPONSE_BYTES, connectTimeout: timeoutMs });
  let queue: Waiting[] = [];

  async function post(body: string): Promise<unknown> {
    const response = await pool.request({
      method: 'POST',
      path: pathname + search,
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) {
      throw new RpcUnreachable(`the RPC endpoint answered HTTP ${response.statusCode}`);
    }
    return JSON.parse(text);
  }

  async function send(batch: Waiting[]): Promise<void> {
    const requests = batch.map(({ method, params }, id) => ({ jsonrpc: '2.0', id, method, params }));
    try {
      const answered = await post(JSON.stringify(requests.length === 1 ? requests[0] : requests));
      deliver(batch, Array.isArray(answered) ? answered : [answered]);
    } catch (error) {
      const reason = error instanceof RpcUnreachable ? error.message : 'the RPC endpoint did not answer';
      for (const waiting of batch) {
        waiting.reject(new RpcUnreachable(reason, { cause: error }));
      }
    }
  }

  function flush(): void {
    const waiting = queue;
    queue = [];
    for (let start = 0; start < waiting.length; start += maxBatch) {
      void send(waiting.slice(start, start + maxBatch));
    }
  }

  return {
    call: (method, params) =>
      new Promise((resolve, reject) => {
        if (queue.push({ method, params, resolve, reject }) === 1) {
          setImmediate(flush);
        }
      }),
    close: () => pool.destroy(),
  };
}

/** Answers may come in any order, twice or not at all. */
function deliver(batch: Waiting[], answers: readonly unknown[]): void {
  const byId = new Map<unknown, Record<string, unknown>>();
  for (const answer of answers) {
    if (isObject(answer)) {
      byId.set(answer['id'], answer);
    }
  }
  batch.forEach((waiting, id) => {
    const answer = byId.get(id);
    if (answer && isObject(answer['error'])) {
      waiting.reject(toRpcError(answer['error']));
    } else if (answer && 'result' in answer) {
      waiting.resolve(answer['result']);
    } else {
      waiting.reject(new RpcUnreachable('the RPC endpoint left a call unanswered'));
    }
  });
}

function toRpcError(error: Record<string, unknown>): RpcError {
  const { code, message, data } = error;
  return new RpcError(
    typeof code === 'number' ? code : 0,
    typeof message === 'string' ? message.slice(0, 500) : 'refused',
    typeof data === 'string' && /^0x[0-9a-f]*$/i.test(data) ? data : null,
  );
}

/** A number that a node tells, as hexadecimal text. Throws RpcUnreachable for anything else: such a node cannot tell. */
export function toQuantity(answer: unknown, what: string): number {
  const quantity = numberOf(answer);
  if (!Number.isSafeInteger(quantity)) {
    throw new RpcUnreachable(`the RPC endpoint did not tell ${what}`);
  }
  return quantity;
}

/** What an `eth_call` gave, as hexadecimal digits. Throws RpcUnreachable for anything else. */
export function toCallData(answer: unknown): string {
  if (typeof answer !== 'string' || !/^0x[0-9a-f]*$/i.test(answer)) {
    throw new RpcUnreachable('the RPC endpoint answered an eth_call with something that is no data');
  }
  return answer.slice(2);
}
