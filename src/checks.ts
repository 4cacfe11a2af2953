/** What `npm run doctor` checks. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pino } from 'pino';
import { checkServer, type Check, type Finding } from '#cli/index.ts';
import { checkDatabase, choosePorts, findRunningPostgres, openDatabase } from '#database/index.ts';
import { systemClock } from '#kit/index.ts';
import { openPayments } from '#payments/index.ts';
import { openOpenRouter, openS3 } from '#upstreams/index.ts';
import { findCurrentMasterKey, masterKeyFromText } from '#vault/index.ts';
import { checkReach, listPlaceChecks, toOrigin } from './check-places.ts';
import { toOpenRouterUrl, type Config } from './config.ts';
import { toS3Options } from './media-settings.ts';
import { listSchemes, listSettlers } from './plugins.ts';

const silent = pino({ level: 'silent' });

/** The places of a start first, in the order in which it would stumble over them. */
export async function listChecks(config: Config): Promise<Check[]> {
  const detail = config.MODE === 'sandbox' ? 'sandbox: nothing is real money' : 'live';
  return [
    { name: 'node', run: async () => ({ state: 'good', detail: `Node ${process.versions.node}` }) },
    { name: 'mode', run: async () => ({ state: 'good', detail }) },
    ...(await listPlaces(config)),
    { name: 'master key', run: () => checkMasterKey(config) },
    { name: 'database', run: () => checkPostgres(config) },
    { name: 'media', run: () => checkMedia(config) },
    { name: 'OpenRouter', run: () => checkOpenRouter(config) },
    { name: 'chain, settler', run: () => checkChain(config) },
  ];
}

/** The server where it runs already: folder and ports are its own then. Or else what a start looks at. */
async function listPlaces(config: Config): Promise<Check[]> {
  const server = await checkServer(toOrigin({ host: config.HOST, port: config.PORT }));
  return server
    ? [{ name: 'server', run: async () => server }]
    : listPlaceChecks(config, await choosePorts(config.PORT)).filter(({ name }) => name !== 'database');
}

async function checkMasterKey(config: Config): Promise<Finding> {
  const path = resolve(config.DATA_DIR, 'master-key');
  let id: string;
  if (config.MASTER_KEY === undefined) {
    const kept = await readKeptKey(path);
    if (typeof kept !== 'string') {
      return kept;
    }
    id = kept;
  } else {
    id = masterKeyFromText(config.MASTER_KEY).id;
  }
  const place = config.MASTER_KEY === undefined ? path : 'MASTER_KEY';
  const current = await findCurrentKey(config);
  const next = config.NEW_MASTER_KEY === undefined ? null : masterKeyFromText(config.NEW_MASTER_KEY).id;
  if (current === null) {
    return { state: 'good', detail: `${place} has the id ${id}` };
  }
  return current === id || current === next
    ? { state: 'good', detail: `the database is kept under it: ${current}` }
    : {
        state: 'bad',
        detail: `${place} has the id ${id}, but the database is kept under ${current}`,
        mend: `Give back the key with the id ${current} as MASTER_KEY: without it, creators' secrets cannot be opened.`,
      };
}

/** The id of the sandbox's own key, or else what is to be said about its file. */
async function readKeptKey(path: string): Promise<string | Finding> {
  try {
    const isOpen = process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0;
    const { id } = masterKeyFromText(await readFile(path, 'utf8'));
    return isOpen ? { state: 'bad', detail: `${path} can be read by other users`, mend: `chmod 600 ${path}` } : id;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? { state: 'good', detail: 'made and kept in the data folder at the first start (sandbox only)' }
      : { state: 'bad', detail: code ? `${path} cannot be read (${code})` : message, mend: `Restore ${path}.` };
  }
}

/** The id of the key that the database is kept under; null when it does not answer or was never started. */
async function findCurrentKey(config: Config): Promise<string | null> {
  const url = await findDatabase(config);
  if (url === null) {
    return null;
  }
  const database = openDatabase({ url, systemConnections: 1 });
  try {
    return await findCurrentMasterKey(database.system);
  } catch {
    return null;
  } finally {
    await database.close();
  }
}

async function findDatabase(config: Config): Promise<string | null> {
  return config.DATABASE_URL ?? findRunningPostgres(resolve(config.DATA_DIR, 'postgres'), 'farebox');
}

async function checkPostgres(config: Config): Promise<Finding> {
  const url = await findDatabase(config);
  if (url === null) {
    return { state: 'good', detail: 'embedded PostgreSQL 18, started with the server' };
  }
  const reached = await checkReach(url);
  if (reached.state === 'bad') {
    return reached;
  }
  const { version, majorVersion, user, canMakeRoles } = await checkDatabase(url);
  if (majorVersion < 16) {
    return { state: 'bad', detail: `PostgreSQL ${version}`, mend: 'Use PostgreSQL 16 or newer.' };
  }
  return canMakeRoles
    ? { state: 'good', detail: `PostgreSQL ${version} answers` }
    : {
        state: 'bad',
        detail: `PostgreSQL ${version}, but its user cannot set up the roles farebox_app and farebox_system`,
        mend: `As its administrator: ALTER ROLE ${user} CREATEROLE; or, where the roles are there already: GRANT farebox_app, farebox_system TO ${user} WITH ADMIN OPTION;`,
      };
}

async function checkOpenRouter(config: Config): Promise<Finding> {
  if (config.MODE === 'sandbox' && !config.OPENROUTER_BASE_URL) {
    return { state: 'good', detail: 'simulated, started with the server' };
  }
  const baseUrl = toOpenRouterUrl(config);
  const openRouter = openOpenRouter({ baseUrl, publicUrl: config.PUBLIC_URL ?? '', title: 'Farebox', log: silent });
  try {
    if (!(await openRouter.isUp())) {
      return {
        state: 'bad',
        detail: `${baseUrl} does not answer`,
        mend: 'Check OPENROUTER_BASE_URL and the way out of this machine.',
      };
    }
    if (!config.OPENROUTER_API_KEY) {
      return { state: 'good', detail: `${baseUrl} answers; creators bring their own keys` };
    }
    const checked = await openRouter.getKey(config.OPENROUTER_API_KEY);
    return checked.ok
      ? { state: 'good', detail: `${baseUrl} accepts OPENROUTER_API_KEY` }
      : { state: 'bad', detail: `OPENROUTER_API_KEY: ${checked.detail}`, mend: 'Set a working key, or leave it out.' };
  } finally {
    await openRouter.close();
  }
}

async function checkMedia(config: Config): Promise<Finding> {
  const options = toS3Options(config);
  if (options === null) {
    return { state: 'good', detail: `files lie in ${resolve(config.DATA_DIR, 'media')}` };
  }
  const s3 = openS3(options);
  const place = `the bucket ${options.bucket} at ${options.endpoint}`;
  try {
    await s3.check();
    return { state: 'good', detail: `files lie in ${place}` };
  } catch (error) {
    return {
      state: 'bad',
      detail: `${place} cannot be used: ${(error as Error).message}`,
      mend: 'Check MEDIA_S3_ENDPOINT, _BUCKET, _REGION, _ADDRESSING and the two keys: they must list, read, write and delete.',
    };
  } finally {
    await s3.close();
  }
}

async function checkChain(config: Config): Promise<Finding> {
  if (config.MODE === 'sandbox' && config.NETWORKS.every((network) => !config.rpcUrls.has(network))) {
    return { state: 'good', detail: 'local chain and settler, started with the server' };
  }
  const payments = openPayments({
    schemes: listSchemes(),
    openSettlers: listSettlers,
    networks: config.NETWORKS,
    rpcUrls: config.rpcUrls,
    facilitatorUrls: config.FACILITATOR_URLS,
    settlerPrivateKeys: config.SETTLER_PRIVATE_KEYS,
    clock: systemClock,
    log: silent,
  });
  try {
    const { isReady, networks } = await payments.readiness();
    const detail = networks
      .map((found) => `${found.network} ${found.isReady ? 'can settle' : `cannot settle: ${found.cause}`}`)
      .join('; ');
    const mend = 'Check RPC_URLS, FACILITATOR_URLS, SETTLER_PRIVATE_KEYS and that the settler accounts hold gas.';
    return isReady ? { state: 'good', detail } : { state: 'bad', detail, mend };
  } finally {
    await payments.close();
  }
}
