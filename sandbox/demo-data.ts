/** What the sandbox shows on the first start: one creator and three resources that can be called at once. */
export const demoCreator = { email: 'demo@farebox.invalid', username: 'demo', name: 'Demo creator' } as const;

interface DemoResource {
  kind: string;
  slug: string;
  name: string;
  description: string;
  category: string;
  priceUsdc: string;
  parameters: unknown[];
  config: Record<string, unknown>;
}

const text = { type: 'string', required: true, maxLength: 200 } as const;

/** Lists show the newest first, so what a newcomer should meet first is made last. */
export const demoResources: readonly DemoResource[] = [
  {
    kind: 'openrouter_instant',
    slug: 'postcard',
    name: 'Postcard picture',
    description: 'A picture postcard of any place, as a PNG.',
    category: 'media',
    priceUsdc: '0.3',
    parameters: [{ ...text, name: 'place', description: 'The place on the postcard.', example: 'Lisbon at dusk' }],
    config: {
      modelId: 'google/gemini-2.5-flash-image',
      systemPrompt: 'Paint a picture postcard of {place}{/place} in warm gouache colours.',
      maxTokens: 4096,
    },
  },
  {
    kind: 'prompt_template',
    slug: 'plain-words',
    name: 'In plain words',
    description: 'Rewrites a hard text for a reader you choose.',
    category: 'ai',
    priceUsdc: '0.15',
    parameters: [
      { ...text, name: 'reader', description: 'Who should understand the text.', example: 'a ten-year-old' },
    ],
    config: {
      systemPrompt: 'Rewrite what the user sends in plain words for {reader}{/reader}. Keep every fact.',
      allowsUserMessage: true,
      upstream: { type: 'openrouter' },
      model: 'anthropic/claude-haiku-4.5',
      maxTokens: 800,
    },
  },
  {
    kind: 'openrouter_instant',
    slug: 'haiku',
    name: 'Haiku',
    description: 'A haiku about any topic.',
    category: 'ai',
    priceUsdc: '0.01',
    parameters: [
      { ...text, name: 'topic', description: 'What the haiku is about.', example: 'a quiet harbour' },
      {
        name: 'season',
        type: 'enum',
        options: ['spring', 'summer', 'autumn', 'winter'],
        required: false,
        default: 'autumn',
        description: 'The season that it breathes.',
      },
    ],
    config: {
      modelId: 'openai/gpt-4o-mini',
      systemPrompt:
        'You are a poet. Write one haiku about {topic}{/topic}, set in {season}{/season}. Answer with the three lines only.',
      maxTokens: 200,
      temperature: 0.8,
    },
  },
];
