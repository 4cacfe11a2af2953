/** The rules of ARCHITECTURE.md that can be read from the sources, and the tables that say what is allowed. */
import { checkImports, packageRules, type ImportRules } from './architecture/check-imports.ts';
import { checkTables } from './architecture/check-tables.ts';
import { findCycles } from './architecture/find-cycles.ts';
import { findTexts, moduleOf, readImports, type Sources } from './architecture/read-sources.ts';
import { parseSync } from 'oxc-parser';

export interface Rules extends ImportRules {
  /** Module -> the tables that it alone writes. */
  tableOwners: Readonly<Record<string, readonly string[]>>;
  /** `module table`: who reads or names a table of another module. */
  tableReaders: readonly string[];
}

export const rules: Rules = {
  imports: {
    kit: [],
    database: ['kit'],
    upstreams: ['kit'],
    durable: ['kit', 'database'],
    accounts: ['kit', 'database'],
    vault: ['kit', 'database'],
    integrations: ['kit', 'database', 'vault', 'upstreams'],
    models: ['kit', 'database', 'durable'],
    resources: ['kit', 'database', 'vault', 'integrations'],
    payments: ['kit', 'database'],
    media: ['kit', 'database', 'upstreams'],
    execution: ['kit', 'models', 'resources', 'media', 'upstreams'],
    usage: ['kit', 'database'],
    notices: ['kit', 'database', 'vault', 'upstreams'],
    gateway: ['kit', 'database', 'resources', 'payments', 'execution', 'usage'],
    api: ['kit', 'database', 'accounts', 'resources', 'payments', 'gateway'],
    cli: [],
    sandbox: ['kit', 'models'],
  },
  packages: packageRules,
  // Where the names of tables are given to a library (better-auth, the rate limiter), no SQL of ours writes them.
  tableOwners: {
    database: ['schema_migrations', 'rate_limits'],
    durable: ['durable_executors', 'durable_sweeps'],
    accounts: ['users', 'sessions', 'auth_accounts', 'verifications', 'auth_rate_limits', 'api_keys', 'audit_log'],
    vault: ['vault_master_keys', 'vault_data_keys', 'vault_secrets'],
    integrations: [
      'user_openrouter_integrations',
      'platform_key_days',
      'platform_key_runs',
      'platform_key_outages',
      'integration_connects',
      'user_telegram_integrations',
      'user_discord_integrations',
    ],
    models: ['ai_models', 'ai_model_syncs', 'ai_model_changes', 'ai_model_endpoints'],
    resources: [
      'x402_resources',
      'x402_resource_versions',
      'x402_resource_slugs',
      'resource_examples',
      'resource_example_runs',
    ],
    payments: ['ledger_entries'],
    media: ['x402_cached_images', 'media_inputs', 'media_objects', 'media_uploads', 'media_upload_days'],
    usage: [
      'x402_prompt_template_usage_logs',
      'usage_cost_lookups',
      'spend_caps',
      'spend_days',
      'spend_runs',
      'usage_pending',
      'usage_rollups',
      'usage_changes',
      'usage_hours',
      'usage_days',
      'usage_hour_payers',
      'usage_day_payers',
      'usage_payer_numbers',
      'usage_payers',
      'usage_payer_days',
      'usage_problems',
    ],
    gateway: ['calls', 'call_stream_parts', 'long_calls', 'batch_items', 'gateway_processes', 'trust_limits'],
    notices: [
      'notices',
      'notice_states',
      'notice_preferences',
      'notice_messages',
      'notice_emails',
      'notice_webhooks',
      'notice_mails',
    ],
  },
  tableReaders: [
    // A resource's address begins with its owner's username.
    'resources users',
    // The type of a service's table is `user_${string}_integrations`, so the name can be none of another module.
    'integrations a computed table',
  ],
};

/** The only files that wire. */
const wiringFiles = [
  'main',
  'config',
  'setting',
  'media-settings',
  'notice-settings',
  'start-infrastructure',
  'start-domain',
  'start-notices',
  'start-serving',
  'check-places',
  'checks',
  'operations',
  'plugins',
].map((name) => `src/${name}.ts`);
const bannedNames = /^(utils?|helpers?|common|services?|managers?|types|constants)(\.|$)/;
const fileName = /^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/;
const lineLimit = 300;

/** One line per violation. */
export function findViolations(sources: Sources, given: Rules = rules): string[] {
  const imports = [...sources].flatMap(([path, text]) => readImports(path, text));
  return [
    ...checkImports(imports, given),
    ...[...sources].flatMap(([path, text]) => [
      ...checkName(path, given.imports),
      ...checkSize(path, text),
      ...checkPowers(path, text),
    ]),
    ...checkTables(sources, given),
    ...findCycles(imports),
  ];
}

/** What only certain files may do, found in the text without comments and strings. */
function checkPowers(path: string, text: string): string[] {
  if (path.endsWith('.test.ts')) {
    return [];
  }
  const code = stripCommentsAndStrings(path, text);
  const isIn = (...folders: string[]): boolean => folders.some((folder) => path.startsWith(`src/${folder}/`));
  const problems: string[] = [];
  if (/\bprocess(\.env\b|\[)|\benv\b[^;=]*\}\s*=\s*process\b/.test(code) && path !== 'src/config.ts') {
    problems.push(`${path}: only config.ts reads the environment`);
  }
  if (
    /((?<![.\w])|\bglobalThis\.)(fetch\b(?!:)|WebSocket\b)/.test(code) &&
    !isIn('upstreams', 'payments/settlers', 'cli') &&
    // Upstreams call back when a film is finished, and so does the simulated one.
    path !== 'sandbox/openrouter/media/call-back.ts'
  ) {
    problems.push(`${path}: only upstreams/ and payments/settlers/ fetch`);
  }
  if (/\bcreate(C|Dec)ipheriv\b/.test(code) && !isIn('vault')) {
    problems.push(`${path}: only vault/ encrypts`);
  }
  if (/\bas any\b|: any\b|<any>/.test(code)) {
    problems.push(`${path}: any`);
  }
  return problems;
}

function stripCommentsAndStrings(path: string, text: string): string {
  const { comments } = parseSync(path, text);
  let code = text;
  for (const { start, end } of [...comments, ...findTexts(path, text)]) {
    code = code.slice(0, start) + ' '.repeat(end - start) + code.slice(end);
  }
  return code;
}

function checkName(path: string, allowed: ImportRules['imports']): string[] {
  const parts = path.split('/').slice(1);
  const name = parts.at(-1) ?? '';
  const problems = fileName.test(name) ? [] : [`${path}: file names are kebab-case`];
  if (parts.some((part) => bannedNames.test(part))) {
    problems.push(`${path}: a bucket name says nothing; name what it holds`);
  }
  const module = moduleOf(path);
  if (module !== null && !(module in allowed)) {
    problems.push(`${path}: the architecture has no module "${module}"`);
  }
  if (module === null && !wiringFiles.includes(path.replace(/\.test\.ts$/, '.ts'))) {
    problems.push(`${path}: files at the top of src/ are ${wiringFiles.join(', ')}`);
  }
  return problems;
}

function checkSize(path: string, text: string): string[] {
  const lines = text.split('\n').length - 1;
  return lines > lineLimit && !path.endsWith('.test.ts') ? [`${path}: ${lines} lines; the budget is ${lineLimit}`] : [];
}
