import { randomBytes } from 'node:crypto';
import { callOperation, newId, onBehalfOf, Problem, type BoundOperation, type OperationPorts } from '#kit/index.ts';
import { demoCreator, demoResources } from './demo-data.ts';

interface SeedOptions {
  ports: OperationPorts;
  /** The same operations that every creator uses. */
  operations: readonly BoundOperation[];
  ensureUser(user: typeof demoCreator & { password: string }): Promise<{ userId: string; username: string }>;
  /** Of the simulated OpenRouter: opens nothing else. */
  apiKey: string;
  network: string;
}

/** Where the demo creator is paid: an address whose key nobody holds. */
const PAY_TO = '0xfA4eb0C5000000000000000000000000000000d3';

/** Makes the demo creator, the encrypted demo key and the demo resources, as far as they are missing. */
export async function seedDemo(options: SeedOptions): Promise<void> {
  const { userId, username } = await options.ensureUser({
    ...demoCreator,
    password: randomBytes(24).toString('base64url'),
  });
  const caller = onBehalfOf({ userId, username, email: demoCreator.email });
  const source = { surface: 'system', requestId: newId(), clientAddress: null } as const;
  const call = async (name: string, input: unknown): Promise<unknown> => {
    const found = options.operations.find((operation) => operation.name === name);
    if (!found) {
      throw new Error(`There is no operation ${name}.`);
    }
    return callOperation(options.ports, found, { caller, input, source });
  };
  if (!(await isThere(call('integrations.openrouter.get', {})))) {
    await call('integrations.openrouter.put', { apiKey: options.apiKey });
  }
  const { items } = (await call('resources.list', { mine: true, limit: 100 })) as { items: Listed[] };
  for (const draft of demoResources) {
    const made = items.find(({ slug }) => slug === draft.slug);
    // A draft: the process that made it was stopped before it was published.
    if (!made || made.state === 'draft') {
      await unlessDone(async () => {
        const place = { network: options.network, payTo: PAY_TO };
        const { id } = made ?? ((await call('resources.create', { ...draft, ...place })) as Listed);
        await call('resources.publish', { id });
      });
    }
  }
}

interface Listed {
  id: string;
  slug: string;
  state: string;
}

/** Another process that starts at the same time may be making the same. */
async function unlessDone(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'conflict')) {
      throw error;
    }
  }
}

async function isThere(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (error) {
    if (error instanceof Problem && error.code === 'not_found') {
      return false;
    }
    throw error;
  }
}
