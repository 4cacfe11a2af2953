import type { Tables } from './read-tables.ts';

export interface Canary {
  text: string;
  /** Who may be shown it. */
  knownTo: string[];
  /** Columns that hold it by design. */
  storedIn: string[];
}

interface Stored {
  name: string;
  place: string;
  isExpected: boolean;
}

/** Where the canaries stand in the database: as text, or as its bytes in hexadecimal or base64. */
export function findStored(tables: Tables, canaries: Readonly<Record<string, Canary>>): Stored[] {
  const columns = new Map<string, string>();
  for (const [table, rows] of tables) {
    for (const [column, value] of rows.flatMap((row) => Object.entries(row))) {
      const place = `${table}.${column}`;
      columns.set(place, `${columns.get(place) ?? ''}\n${JSON.stringify(value)}`);
    }
  }
  return Object.entries(canaries).flatMap(([name, { text, storedIn }]) => {
    const bytes = Buffer.from(text);
    const forms = [text, bytes.toString('hex'), bytes.toString('base64').slice(0, -4)];
    return [...columns]
      .filter(([, held]) => forms.some((form) => held.includes(form)))
      .map(([place]) => ({ name, place, isExpected: storedIn.includes(place) }));
  });
}

interface Templates {
  template: string;
  userTemplate: string;
  upstreamTemplate: string;
}

/** One draft of every way to keep a template; the last one cannot be published. */
export function draftSecrets(
  { template, userTemplate, upstreamTemplate }: Templates,
  upstreamUrl: string,
): [slug: string, fields: Record<string, unknown>][] {
  return [
    [
      'own',
      {
        kind: 'openrouter_instant',
        config: {
          modelId: 'openai/gpt-4o-mini',
          systemPrompt: `${template} {topic}{/topic}`,
          userMessage: userTemplate,
        },
      },
    ],
    [
      'other',
      {
        kind: 'prompt_template',
        config: {
          model: 'openai/gpt-4o-mini',
          allowsUserMessage: true,
          systemPrompt: `${upstreamTemplate} {topic}{/topic}`,
          upstream: { type: 'chat_completions', baseUrl: upstreamUrl },
        },
      },
    ],
    [
      'free',
      {
        kind: 'openrouter_instant',
        priceUsdc: '0',
        config: { modelId: 'openai/gpt-4o-mini', systemPrompt: `${template} {topic}{/topic}` },
      },
    ],
    [
      'broken',
      {
        kind: 'openrouter_instant',
        config: { modelId: 'acme/none', systemPrompt: `{word}{/word} ${template}` },
      },
    ],
  ];
}

/** What anybody may ask for. */
export function listPaths({ own, broken, word }: { own: string; broken: string; word: string }): string[] {
  const pages = [
    '/',
    '/docs',
    '/resources/ada/own',
    '/resources/ada/other',
    '/api/openapi.json',
    '/healthz',
    '/readyz',
    '/metrics',
    '/sandbox',
    '/api/models?limit=1',
    '/@ada/own',
    '/@ada/other?topic=1',
    '/@ada/free?topic=plain',
  ];
  const reads = [
    `/api/resources/${own}`,
    `/api/resources/${broken}`,
    `/api/resources/${own}/versions`,
    '/api/creators/ada/own',
    '/api/resources?limit=100',
    `/api/resources?q=${word}`,
    '/api/resources?q=canary',
    '/api/resources?creator=ada',
    '/api/resources?mine=true',
    '/api/usage',
    '/api/usage.csv',
    `/api/usage?resourceId=${own}`,
    '/api/user',
    '/api/user/api-keys',
    '/api/user/integrations/openrouter',
    '/api/user/integrations/openrouter/affected-resources',
  ];
  return [...pages, ...reads];
}
