import { z } from 'zod';
import { explainIssue } from '#kit/index.ts';
import { networks } from '#payments/index.ts';
import { masterKeyFromText } from '#vault/index.ts';
import { mediaProblems, mediaSettings } from './media-settings.ts';
import { noticeProblems, noticeSettings } from './notice-settings.ts';
import { list, origin, secret, setting, type Setting, url, whole } from './setting.ts';

const OPENROUTER_URL = 'https://openrouter.ai/api/v1';

const caip2 = z
  .string()
  .refine((name) => Object.hasOwn(networks, name), `must be of these: ${Object.keys(networks).join(', ')}`);
const masterKey = z.string().superRefine((text, context) => {
  try {
    masterKeyFromText(text);
  } catch (error) {
    context.addIssue(error instanceof Error ? error.message : 'is no key');
  }
});
const privateKey = z.string().regex(/^0x[0-9a-fA-F]{64}$/, 'must be 0x and 64 hexadecimal digits');
const rpcUrl = z
  .string()
  .regex(/^[^=]+=https?:\/\/\S+$/, { error: 'must look like eip155:8453=https://rpc.example', abort: true })
  .refine((entry) => Object.hasOwn(networks, entry.split('=')[0] ?? ''), 'names a network that is not known');

/** Every setting: its environment variable, what it means and its default. docs/configuration.md is generated from this table. */
const settings = {
  MODE: setting(
    z.enum(['sandbox', 'live']).default('sandbox'),
    '`sandbox` brings a local chain, test USDC and a simulated OpenRouter; `live` uses real ones.',
    '`sandbox`',
  ),
  PORT: setting(
    whole(0, 65_532).default(4020),
    'TCP port of the server. The sandbox also uses the three ports after it (chain, OpenRouter, PostgreSQL). `0` takes free ports.',
    '`4020`',
  ),
  HOST: setting(
    z.string().min(1).default('127.0.0.1'),
    'Address to listen on. Use `0.0.0.0` behind a reverse proxy in a container.',
    '`127.0.0.1`',
  ),
  PUBLIC_URL: setting(
    origin('http|https').optional(),
    'The origin that buyers see, such as `https://pay.example.com`: no path, for nothing is served below one. Everything that is signed or published names it.',
    '`http://localhost:PORT` (needed in live mode)',
  ),
  DATA_DIR: setting(
    z.string().min(1).default('./data'),
    'Folder of everything Farebox keeps on disk: the embedded database, files of answers, the sandbox keys.',
    '`./data`',
  ),
  DATABASE_URL: secret(
    url('postgres|postgresql').optional(),
    'Your PostgreSQL (16 or newer). Its user must be able to create roles.',
    'an embedded PostgreSQL 18 under DATA_DIR',
  ),
  MASTER_KEY: secret(
    masterKey.optional(),
    '32 random bytes as hexadecimal or base64. It wraps the keys that encrypt creators\u2019 secrets: losing it loses them.',
    'made and kept in DATA_DIR in sandbox mode; needed in live mode',
  ),
  NEW_MASTER_KEY: secret(
    masterKey.optional(),
    'The next MASTER_KEY while it is being changed: give both to every process, run `npm run rotate-master-key`, then make it MASTER_KEY.',
    'none',
  ),
  NETWORKS: setting(
    list(caip2).optional(),
    'Networks that resources may be priced on, comma separated (CAIP-2).',
    '`eip155:84532` in the sandbox, `eip155:8453` (Base) in live mode',
  ),
  FACILITATOR_URLS: setting(
    list(url('http|https')).default([]),
    'x402 facilitators to settle with, in order of preference, comma separated.',
    'none',
  ),
  SETTLER_PRIVATE_KEYS: secret(
    list(privateKey).default([]),
    'Private keys of accounts that pay the gas of settlements sent by this server; several keys settle in parallel. They never hold buyers\u2019 or creators\u2019 money.',
    'one made in the sandbox; none in live mode',
  ),
  RPC_URLS: secret(
    list(rpcUrl).default([]),
    'JSON-RPC endpoints, comma separated: `eip155:8453=https://\u2026`. Payments are checked and reconciled through them.',
    'the local chain in the sandbox; the network\u2019s public endpoint in live mode',
  ),
  OPENROUTER_BASE_URL: setting(
    url('http|https').optional(),
    'The OpenRouter API.',
    `the simulator in the sandbox, \`${OPENROUTER_URL}\` in live mode`,
  ),
  OPENROUTER_API_KEY: secret(
    z.string().min(8, 'is too short to be a key').optional(),
    'A key of the operator, used wherever a creator named in OPENROUTER_API_KEY_CREATORS has no key of their own that works: none stored, refused by OpenRouter, empty, or switched off.',
    'none: every creator brings a key',
  ),
  OPENROUTER_API_KEY_CREATORS: setting(
    list(z.string()).default([]),
    'User names that may run on the operator\u2019s OPENROUTER_API_KEY, comma separated; `*` for everybody.',
    'nobody',
  ),
  OPENROUTER_API_KEY_DAILY_USD: setting(
    z
      .string()
      .regex(/^\d{1,6}(\.\d{1,6})?$/, 'must be an amount of US dollars, such as 5 or 0.50')
      .default('5'),
    'What each of these creators may spend of OPENROUTER_API_KEY in a day (UTC), in US dollars.',
    '`5`',
  ),
  ...mediaSettings,
  ...noticeSettings,
  UPSTREAM_ORIGINS: setting(
    list(origin('http|https')).default([]),
    'Servers of your own network that any creator may run prompts on beside public https hosts, comma separated: `http://10.0.0.5:11434`. Their other ports stay closed, and files that buyers name are not read from them.',
    'none: private addresses are never called',
  ),
  CALLBACK_ORIGINS: setting(
    list(origin('http|https')).default([]),
    'Servers that buyers may have called back when a call has ended, beside public https hosts, comma separated: `http://10.0.0.7:8080`.',
    'none: private addresses are never called',
  ),
  OPENROUTER_CREDIT_FEE_PERCENT: setting(
    z
      .string()
      .regex(/^\d{1,2}(\.\d{1,3})?$/, 'must be a percentage below 100, such as 5.5 or 0')
      .default('5.5'),
    'What buying credit at OpenRouter costs on top of the credit, in percent. Prices must cover it (docs/decisions/0035).',
    '`5.5`',
  ),
  FEATURED_RESOURCES: setting(
    list(z.string().regex(/^[a-z0-9_-]+(\/[a-z0-9-]+)?$/, 'must be a creator or creator/slug')).optional(),
    'What the front page shows, in this order, comma separated: `creator/slug`, or `creator` for all of theirs.',
    '`demo` in the sandbox, nothing in live mode',
  ),
  ADMIN_EMAILS: setting(list(z.email()).default([]), 'E-mail addresses of administrators, comma separated.', 'nobody'),
  OWNER_CALLS_PER_MINUTE: setting(
    whole(1, 10_000_000).default(30),
    'Calls that an owner makes to their own resources without paying (`X-Owner-Test`, tests of drafts), per owner and minute over all processes. They run on the owner\u2019s key: raise it where owners use their resources as their own gateway.',
    '`30`',
  ),
  TRUSTED_PROXY_HOPS: setting(
    whole(0, 8).default(0),
    'How many reverse proxies in front append to X-Forwarded-For. Rate limits count the address that the outermost of them saw.',
    '`0`',
  ),
  LOG_LEVEL: setting(
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
    'How much is logged: `trace`, `debug`, `info`, `warn`, `error` or `silent`. A terminal gets text, everything else JSON lines.',
    '`info`',
  ),
} satisfies Record<string, Setting>;

/** The environment variables. */
export const settingNames: readonly string[] = Object.keys(settings);

type Settings = { [Name in keyof typeof settings]: z.output<(typeof settings)[Name]['schema']> };

export interface Config extends Omit<Settings, 'PUBLIC_URL' | 'NETWORKS' | 'FEATURED_RESOURCES'> {
  PUBLIC_URL: string | undefined;
  NETWORKS: string[];
  FEATURED_RESOURCES: string[];
  /** CAIP-2 -> URL. */
  rpcUrls: ReadonlyMap<string, string>;
}

/** The OpenRouter API of this configuration. `simulator`: of the sandbox, where there is one. */
export function toOpenRouterUrl(config: Pick<Config, 'OPENROUTER_BASE_URL'>, simulator?: string): string {
  return config.OPENROUTER_BASE_URL ?? simulator ?? OPENROUTER_URL;
}

/** Thrown with every problem of the configuration at once, each with its variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/** Reads and checks the whole environment. Values of secrets never appear in a problem. */
export function readConfig(environment: Record<string, string | undefined> = process.env): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema }] of Object.entries<Setting>(settings)) {
    const text = environment[name]?.trim();
    const parsed = schema.safeParse(text === '' ? undefined : text, { error: explainIssue });
    if (parsed.success) {
      values[name] = parsed.data;
    } else {
      problems.push(...parsed.error.issues.map((issue) => `${name}${toPlace(issue.path)}: ${issue.message}`));
    }
  }
  problems.push(...liveProblems(values), ...mediaProblems(values), ...noticeProblems(values));
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
  return complete(values as Settings);
}

/** Which entry of a list it was: the values themselves may be secrets. */
function toPlace([index]: readonly PropertyKey[]): string {
  return typeof index === 'number' ? `, entry ${index + 1}` : '';
}

type Lengthy = 'MASTER_KEY' | 'FACILITATOR_URLS' | 'SETTLER_PRIVATE_KEYS' | 'OPENROUTER_API_KEY_CREATORS';

/** What live mode needs beside well-formed values. A value that is not well-formed counts as given: it was reported already. */
function liveProblems(values: Partial<Settings>): string[] {
  if (values.MODE !== 'live') {
    return [];
  }
  const problems: string[] = [];
  const isEmpty = (name: Lengthy): boolean => name in values && (values[name] ?? '').length === 0;
  if (isEmpty('MASTER_KEY')) {
    problems.push('MASTER_KEY: live mode does not start without one. Make it with: openssl rand -hex 32');
  }
  if ('PUBLIC_URL' in values && !values.PUBLIC_URL?.startsWith('https://')) {
    problems.push('PUBLIC_URL: live mode needs the https:// origin that buyers use, such as https://pay.example.com');
  }
  if (isEmpty('FACILITATOR_URLS') && isEmpty('SETTLER_PRIVATE_KEYS')) {
    problems.push('FACILITATOR_URLS or SETTLER_PRIVATE_KEYS: live mode needs one of them, or nothing can be settled');
  }
  if (values.OPENROUTER_API_KEY && isEmpty('OPENROUTER_API_KEY_CREATORS')) {
    problems.push('OPENROUTER_API_KEY_CREATORS: name who may run on OPENROUTER_API_KEY, or * for everybody');
  }
  return problems;
}

function complete(values: Settings): Config {
  const rpcUrls = values.RPC_URLS.map((entry) => {
    const [network = '', ...rest] = entry.split('=');
    return [network, rest.join('=')] as const;
  });
  return {
    ...values,
    PUBLIC_URL: values.PUBLIC_URL?.replace(/\/+$/, ''),
    FEATURED_RESOURCES: values.FEATURED_RESOURCES ?? (values.MODE === 'sandbox' ? ['demo'] : []),
    NETWORKS: values.NETWORKS ?? [values.MODE === 'sandbox' ? 'eip155:84532' : 'eip155:8453'],
    rpcUrls: new Map(rpcUrls),
  };
}

/** The text of docs/configuration.md. */
export function documentSettings(): string {
  const rows = Object.entries<Setting>(settings).map(
    ([name, { summary, byDefault, isSecret }]) =>
      `| \`${name}\`${isSecret ? ' (secret)' : ''} | ${summary} | ${byDefault} |`,
  );
  return [
    '# Configuration',
    '',
    'Farebox is configured by environment variables. All problems are reported at once, at the start. `npm run docs` writes this page from `src/config.ts`.',
    '',
    '| variable | meaning | default |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
