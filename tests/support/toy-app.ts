import { Readable } from 'node:stream';
import { z } from 'zod';
import {
  anonymous,
  bind,
  fileOutput,
  operation,
  Problem,
  type AuditEntry,
  type Caller,
  type OperationPorts,
  type InTransaction,
  type User,
} from '#kit/index.ts';
import type { PublicResource, ServerOptions } from '#api/index.ts';

type ToyNote = { id: string; title: string; size: number };

/** What the toy operations did: a refused request must leave no trace here. */
export interface ToyState {
  notes: ToyNote[];
  audits: AuditEntry[];
  logged: { fields: object; message: string }[];
}

type ToyWork = InTransaction<null> & { notes: ToyNote[] };

const note = z.object({ id: z.string(), title: z.string(), size: z.int() });

const createNote = operation({
  name: 'notes.create',
  route: 'POST /api/notes',
  summary: 'Write a note.',
  scope: 'resources:write',
  status: 201,
  input: z.strictObject({
    title: z.string().min(1).max(40),
    size: z.coerce.number().int().min(0).max(100).default(1),
    tags: z.array(z.string()).optional(),
    nested: z.unknown().optional(),
  }),
  output: note,
  run: async (state: ToyWork, _caller, { title, size }) => {
    const made = { id: `n${state.notes.length + 1}`, title, size };
    state.notes.push(made);
    return { ...made, secret: 'never shown' };
  },
});

const listNotes = operation({
  name: 'notes.list',
  route: 'GET /api/notes',
  summary: 'List notes.',
  scope: 'public',
  input: z.object({ limit: z.coerce.number().int().min(1).max(100).default(20) }),
  output: z.object({ items: z.array(note) }),
  run: async (state: ToyWork, _caller, { limit }) => ({ items: state.notes.slice(0, limit) }),
});

const patchNote = operation({
  name: 'notes.rename',
  route: 'PATCH /api/notes/:id',
  summary: 'Rename a note.',
  scope: 'resources:write',
  input: z.object({ id: z.string().max(40), title: z.string() }),
  output: note,
  problems: ['not_found'],
  run: async (state: ToyWork, _caller, { id, title }) => {
    const found = state.notes.find((one) => one.id === id);
    if (!found) {
      throw new Problem('not_found', { detail: 'There is no such note.' });
    }
    found.title = title;
    return found;
  },
});

const deleteNote = operation({
  name: 'notes.delete',
  route: 'DELETE /api/notes/:id',
  summary: 'Delete a note.',
  scope: 'session',
  status: 204,
  input: z.object({ id: z.string() }),
  output: z.undefined(),
  run: async (state: ToyWork, _caller, { id }) => {
    state.notes.splice(0, state.notes.length, ...state.notes.filter((one) => one.id !== id));
    return undefined;
  },
});

const rebuild = operation({
  name: 'notes.rebuild',
  route: 'POST /api/admin/rebuild',
  summary: 'Rebuild.',
  scope: 'admin',
  input: z.object({}),
  output: z.object({ ok: z.literal(true) }),
  run: async () => ({ ok: true as const }),
});

const explode = operation({
  name: 'notes.explode',
  route: 'GET /api/notes/explode',
  summary: 'Fail.',
  scope: 'public',
  input: z.object({ leak: z.string().optional() }),
  output: z.object({ fine: z.literal(true) }),
  run: async (_state: ToyWork, _caller, { leak }) => {
    if (leak) {
      return { fine: 'canary-in-output' } as unknown as { fine: true };
    }
    throw new Error('canary-in-error');
  },
});

const exportNotes = operation({
  name: 'notes.export',
  route: 'GET /api/usage.csv',
  summary: 'The notes as a file.',
  scope: 'usage:read',
  input: z.object({ status: z.enum(['failed']).optional(), breaks: z.stringbool().optional() }),
  output: fileOutput,
  file: { contentType: 'text/csv', fileName: 'notes.csv' },
  run: async (_state: ToyWork, _caller, { breaks, ...filters }) =>
    Readable.from(breaks ? brokenFile() : [Buffer.from(`callId\r\n${JSON.stringify(filters)}\r\n`)]),
});

async function* brokenFile() {
  yield Buffer.from('callId\r\n');
  throw new Error('canary');
}

/** `Bearer full|reader|admin` are API keys; `Cookie: session=alice` is a session. */
async function authenticate(headers: Headers): Promise<Caller> {
  const user: User = {
    kind: 'user',
    userId: 'u1',
    username: 'alice',
    email: 'alice@example.com',
    isAdmin: false,
    via: 'api_key',
    scopes: [],
  };
  const key = headers.get('authorization')?.replace('Bearer ', '');
  switch (key) {
    case 'full':
      return { ...user, scopes: ['resources:read', 'resources:write', 'usage:read'] };
    case 'reader':
      return { ...user, scopes: ['resources:read'] };
    case 'admin':
      return { ...user, scopes: ['admin'], isAdmin: true };
    case undefined:
      return headers.get('cookie') === 'session=alice' ? { ...user, via: 'session' } : anonymous;
    default:
      throw new Problem('unauthenticated', { detail: 'This API key is not valid.' });
  }
}

export const toyResource: PublicResource = {
  creator: 'demo',
  slug: 'haiku',
  name: 'Haiku',
  description: 'Seventeen syllables about anything you name.',
  category: 'writing',
  tags: ['poetry', 'short'],
  kind: 'OpenRouter Instant',
  model: 'google/gemini-3-flash',
  state: 'published',
  version: 3,
  offers: [
    {
      scheme: 'exact',
      priceUsdc: '0.01',
      network: 'eip155:84532',
      networkName: 'Base Sepolia',
      payTo: '0x857b06519E91e3A54538791bDbb0E22373e36b66',
    },
  ],
  settlementPoint: 'on_success',
  timeoutSeconds: 60,
  runsLong: false,
  batch: null,
  mediaRetentionSeconds: 604_800,
  parameters: [
    { name: 'topic', type: 'string', description: 'What the poem is about.', required: true },
    { name: 'mood', type: 'enum', required: false, default: 'calm', options: ['calm', 'bright'] },
  ],
  inputExample: { topic: "the first day's rain" },
};

const toyFile: Awaited<ReturnType<ServerOptions['openMedia']>> = {
  kind: 'image',
  contentType: 'image/png',
  sizeBytes: 4,
  sha256: 'a'.repeat(64),
  expiresAt: new Date('2100-01-01T00:00:00.000Z'),
  assertThere: async () => {},
  read: async () => Readable.from([Buffer.from([137, 80, 78, 71])]),
};

export const jsonHeaders = { 'Content-Type': 'application/json' };
export const signedIn = { ...jsonHeaders, Authorization: 'Bearer full' };

/** Transactions and audit rows in memory: what fails leaves no trace. */
function openToyPorts(state: Pick<ToyState, 'notes' | 'audits'>, log: OperationPorts['log']): OperationPorts<null> {
  return {
    transact: async (_as, work) => {
      const before = [structuredClone(state.notes), [...state.audits]] as const;
      try {
        return await work({ tx: null, asSystem: (run) => run(null) });
      } catch (error) {
        state.notes.splice(0, state.notes.length, ...before[0]);
        state.audits.splice(0, state.audits.length, ...before[1]);
        throw error;
      }
    },
    recordAudit: async (_tx, entry) => void state.audits.push(entry),
    log,
  };
}

/** Options of a server whose operations are kept in memory, with what they did beside them. */
export function toyOptions(changes: Partial<ServerOptions> = {}): { options: ServerOptions; state: ToyState } {
  const state: ToyState = { notes: [], audits: [], logged: [] };
  const keep = (fields: object, message: string): void => {
    state.logged.push({ fields, message });
  };
  const options: ServerOptions = {
    host: '127.0.0.1',
    port: 0,
    publicUrl: 'https://farebox.test',
    trustedOrigins: ['https://app.farebox.test'],
    version: '0.0.0-test',
    operations: [
      bind(createNote, state),
      bind(listNotes, state),
      bind(patchNote, state),
      bind(deleteNote, state),
      bind(rebuild, state),
      bind(explode, state),
      bind(exportNotes, state),
    ],
    ports: openToyPorts(state, { error: keep }),
    kinds: [],
    authenticate,
    authHandler: async ({ request, clientAddress, body }) =>
      Response.json({ path: new URL(request.url).pathname, clientAddress, body }),
    paidRoute: () => false,
    readiness: async () => ({ ready: true, checks: { database: true } }),
    openMedia: async (_id, { signature }) => {
      if (signature !== 'good') {
        throw new Problem('forbidden', { detail: 'The signature does not fit.' });
      }
      return toyFile;
    },
    takeUpload: async ({ declaredBytes }) => ({ id: 'toy', sizeBytes: declaredBytes ?? 0 }),
    getContract: async () => {
      throw new Problem('not_found', { detail: 'There is no such resource.' });
    },
    landing: {
      listFeatured: async () => [toyResource],
      listPublished: async () => ({ items: [toyResource], nextCursor: null }),
      findResource: async ({ creator, slug }) => (creator === 'demo' && slug === 'haiku' ? toyResource : null),
    },
    models: {
      list: async () => ({ data: [], hasMore: false }),
      find: async () => null,
    },
    log: { debug: () => {}, info: () => {}, warn: keep, error: keep },
    ...changes,
  };
  return { options, state };
}
