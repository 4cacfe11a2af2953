import { expect, test } from 'vitest';
import { z } from 'zod';
import { callOperation, type OperationPorts, type OperationCall, type Source } from './call-operation.ts';
import { anonymous, onBehalfOf, type Caller, type User } from './caller.ts';
import { Problem } from './errors.ts';
import { bind, operation, type InTransaction } from './operation.ts';

type Deps = InTransaction<string, string> & { told: string[] };
type Step = (deps: Deps) => Promise<{ id: string } | Problem>;

const source: Source = { surface: 'http', requestId: 'request-1', clientAddress: '192.0.2.1' };
const session: User = { ...onBehalfOf({ userId: 'u1', username: 'ada', email: '' }), via: 'session' };
const good: Step = async () => ({ id: 'made', secret: 'not declared' }) as { id: string };

/** Ports that write down what happens in which order; `fails` names the step that breaks. */
function openPorts(fails = '') {
  const told: string[] = [];
  const step = (name: string): void => {
    told.push(name);
    if (name === fails) {
      throw new Error(`broken: ${name}`);
    }
  };
  const ports: OperationPorts<string> = {
    transact: async ({ caller, isReadOnly }, work) => {
      told.push(`begin${caller.kind === 'user' ? ` as ${caller.userId}` : ''}${isReadOnly ? ' read only' : ''}`);
      try {
        const result = await work({ tx: 'tx', asSystem: (run) => run('tx') });
        step('commit');
        return result;
      } catch (error) {
        told.push('rollback');
        throw error;
      }
    },
    recordAudit: async (_tx, { outcome, ids }) => step(`audit ${outcome} ${JSON.stringify(ids)}`),
    limiter: { take: async (key) => (step(`limit ${key}`), { isAllowed: fails !== 'limiter', retryAfterSeconds: 3 }) },
    log: { error: (fields, message) => void told.push(`log ${message} ${JSON.stringify(fields)}`) },
  };
  return { ports, told };
}

function declare(run: Step, more: { route?: 'GET /notes/:id' } = {}) {
  return operation({
    name: 'notes.change',
    route: 'POST /notes/:id',
    summary: 'Change a note.',
    scope: 'resources:write',
    input: z.object({ id: z.string(), size: z.coerce.number().default(1) }),
    output: z.object({ id: z.string() }),
    problems: ['conflict'],
    ...more,
    prepare: async ({ told }: { told: string[] }, _caller, { size }) => {
      told.push(`prepare ${size}`);
      return `prepared ${size}`;
    },
    run: async (deps: Deps) => {
      deps.told.push(`run ${deps.prepared} on ${deps.tx}`);
      deps.afterCommit(() => void deps.told.push('effect'));
      return run(deps);
    },
  });
}

interface Asked {
  run?: Step;
  fails?: string;
  route?: 'GET /notes/:id';
  call?: Partial<OperationCall<{ id: string; size?: unknown }>>;
}

async function ask({ run = good, fails = '', call = {}, ...more }: Asked = {}) {
  const { ports, told } = openPorts(fails);
  const bound = bind(declare(run, more), { told });
  const asked = callOperation(ports, bound, { caller: session, input: { id: 'n1', size: '7' }, source, ...call });
  const outcome = await asked.catch((error: unknown) => error);
  return { outcome, told };
}

test('a change: limit, prepare, then run and audit in one transaction, effects after the commit', async () => {
  const { outcome, told } = await ask();
  expect(outcome).toEqual({ id: 'made' });
  expect(told).toEqual([
    'limit 192.0.2.1',
    'prepare 7',
    'begin as u1',
    'run prepared 7 on tx',
    'audit ok {"id":"n1"}',
    'commit',
    'effect',
  ]);
});

test('a read runs in a transaction that cannot write and leaves no audit row, also when refused', async () => {
  const read = await ask({ route: 'GET /notes/:id' });
  expect(read.told).toContain('begin as u1 read only');
  const refused = await ask({
    route: 'GET /notes/:id',
    run: () => Promise.reject(new Problem('conflict', { detail: 'x' })),
  });
  expect([...read.told, ...refused.told].filter((line) => line.startsWith('audit'))).toEqual([]);
});

test('a change whose audit row cannot be written is undone and has no effects', async () => {
  const { outcome, told } = await ask({ fails: 'audit ok {"id":"n1"}' });
  expect(String(outcome)).toContain('broken');
  expect(told.slice(4)).toEqual(['audit ok {"id":"n1"}', 'rollback', 'begin as u1', 'audit internal {}', 'commit']);
});

test('a change that cannot be committed has no effects', async () => {
  const { told } = await ask({ fails: 'commit' });
  expect(told).not.toContain('effect');
});

test('an effect that fails after the commit is logged; the other effects and the answer stand, audited once', async () => {
  const { outcome, told } = await ask({
    run: async (deps) => {
      deps.afterCommit(() => {
        throw new Error('broken effect');
      });
      deps.afterCommit(() => void deps.told.push('last effect'));
      return good(deps);
    },
  });
  expect(outcome).toEqual({ id: 'made' });
  expect(told.slice(4)).toEqual([
    'audit ok {"id":"n1"}',
    'commit',
    'effect',
    expect.stringContaining('log an effect after a commit failed'),
    'last effect',
  ]);
});

test('a thrown problem undoes the change and is audited in a transaction of its own', async () => {
  const { outcome, told } = await ask({ run: () => Promise.reject(new Problem('conflict', { detail: 'x' })) });
  expect(outcome).toMatchObject({ code: 'conflict' });
  expect(told.slice(4)).toEqual(['rollback', 'begin as u1', 'audit conflict {}', 'commit']);
});

test('a returned problem refuses the caller and keeps what was written, with one audit row', async () => {
  const { outcome, told } = await ask({ run: async () => new Problem('conflict', { detail: 'x' }) });
  expect(outcome).toMatchObject({ code: 'conflict' });
  expect(told.slice(4)).toEqual(['audit conflict {"id":"n1"}', 'commit', 'effect']);
});

test('an output that does not fit its schema undoes the change', async () => {
  const { outcome, told } = await ask({ run: async () => ({ id: 7 }) as unknown as { id: string } });
  expect(outcome).toBeInstanceOf(z.ZodError);
  expect(told).not.toContain('effect');
  expect(told.at(-2)).toBe('audit internal {}');
});

test('a refusal whose audit row cannot be written is logged and answered as it is', async () => {
  const run: Step = () => Promise.reject(new Problem('conflict', { detail: 'x' }));
  const { outcome, told } = await ask({ run, fails: 'audit conflict {}' });
  expect(outcome).toMatchObject({ code: 'conflict' });
  expect(told.at(-1)).toContain('log the audit row of a refused change could not be written');
});

test('a code that the operation does not declare is logged as a defect', async () => {
  const { told } = await ask({ run: () => Promise.reject(new Problem('gone', { detail: 'x' })) });
  expect(told.filter((line) => line.startsWith('log')).join()).toContain('"undeclared":"gone"');
  const declared = await ask({ run: () => Promise.reject(new Problem('conflict', { detail: 'x' })) });
  expect(declared.told.filter((line) => line.startsWith('log'))).toEqual([]);
});

test('who is over the limit is told when to come back, before anybody is asked who they are', async () => {
  const asked: string[] = [];
  const caller = (): Caller => (asked.push('caller'), session);
  const { outcome, told } = await ask({ fails: 'limiter', call: { caller } });
  expect(outcome).toMatchObject({ code: 'rate_limited', headers: { 'Retry-After': '3' } });
  expect([asked, told]).toEqual([[], ['limit 192.0.2.1']]);
});

test('a call without an address is not limited', async () => {
  const { told } = await ask({ fails: 'limiter', call: { source: { ...source, clientAddress: null } } });
  expect(told[0]).toBe('prepare 7');
});

test('nobody known is refused before the input is read, and leaves no trace', async () => {
  const input = () => Promise.reject(new Error('was read'));
  const { outcome, told } = await ask({ call: { caller: anonymous, input } });
  expect(outcome).toMatchObject({ code: 'unauthenticated' });
  expect(told).toEqual(['limit 192.0.2.1']);
});

test.each<[string, Partial<User>]>([
  ['an API key', { via: 'api_key', scopes: ['resources:read'] }],
  ['an MCP connection', { via: 'mcp', scopes: [] }],
  ['a wallet', { via: 'wallet', scopes: [] }],
])(
  '%s without the scope is refused before the input is read; the attempt is audited with its path',
  async (_, more) => {
    const input = () => Promise.reject(new Error('was read'));
    const { outcome, told } = await ask({ call: { caller: { ...session, ...more }, input, ids: { id: 'n9' } } });
    expect(outcome).toMatchObject({ code: 'forbidden', message: expect.stringContaining('resources:write') });
    expect(told).toEqual(['limit 192.0.2.1', 'begin as u1', 'audit forbidden {"id":"n9"}', 'commit']);
  },
);

test('fields that the input does not know are refused by their names', async () => {
  const input = { id: 'n1', sise: 2 };
  const { outcome, told } = await ask({ call: { input } });
  expect(outcome).toMatchObject({ code: 'invalid_input', fields: [{ path: '/sise' }] });
  // `id` stands in the path.
  expect(outcome).toMatchObject({ next: expect.stringMatching(/Those that there are: size\.$/) as string });
  expect(told.at(-2)).toBe('audit invalid_input {}');
});

test('the system acts for a user with every scope but the administrator\u2019s, and is no session', () => {
  const system = onBehalfOf({ userId: 'u1', username: 'ada', email: '' });
  expect(system).toMatchObject({ via: 'system', isAdmin: false });
  expect(system.scopes).not.toContain('admin');
});
