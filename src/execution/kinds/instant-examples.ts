import type { DraftExample } from '#resources/index.ts';

/** Documents show them, and a test publishes and buys each as it stands. */
export const instantExamples: readonly [DraftExample, ...DraftExample[]] = [
  {
    slug: 'translation',
    name: 'Translation',
    description: 'Translates a text into the language that you name.',
    category: 'ai',
    priceUsdc: '0.02',
    parameters: [
      { name: 'text', description: 'What to translate.', maxLength: 4000, example: 'Good morning!' },
      { name: 'language', description: 'Into which language.', maxLength: 40, example: 'German' },
    ],
    config: {
      modelId: 'openai/gpt-4o-mini',
      systemPrompt: 'Translate what the user sends into {language}{/language}. Answer with the translation only.',
      userMessage: '{text}{/text}',
      maxTokens: 1500,
      temperature: 0.2,
    },
  },
  {
    slug: 'poster',
    name: 'Poster',
    description: 'A poster of any motif, as a picture.',
    category: 'media',
    priceUsdc: '0.3',
    parameters: [{ name: 'motif', description: 'What it shows.', maxLength: 200, example: 'a lighthouse' }],
    config: {
      modelId: 'google/gemini-2.5-flash-image',
      systemPrompt: 'Design a travel poster that shows {motif}{/motif}, in three flat colours and without words.',
      imageConfig: { aspectRatio: '3:4' },
      maxTokens: 4096,
    },
  },
  {
    slug: 'invoice-fields',
    name: 'Invoice fields',
    description: 'Reads number, date, currency and total out of the text of an invoice, as JSON.',
    category: 'data',
    priceUsdc: '0.02',
    parameters: [
      {
        name: 'invoice',
        description: 'The text of the invoice.',
        maxLength: 8000,
        example: 'Invoice 2026-104 of 3 May 2026. Total: 120.00 EUR.',
      },
      {
        name: 'dates',
        type: 'enum',
        description: 'How dates are written in the answer.',
        options: ['iso', 'as_given'],
      },
    ],
    config: {
      modelId: 'openai/gpt-4o-mini',
      systemPrompt:
        'Read number, date, currency and total out of the invoice that the user sends. ' +
        'Dates: {dates}{/dates}. What the invoice does not tell is null.',
      userMessage: '{invoice}{/invoice}',
      outputSchema: {
        type: 'object',
        properties: {
          number: { type: ['string', 'null'] },
          date: { type: ['string', 'null'] },
          currency: { type: ['string', 'null'] },
          total: { type: ['number', 'null'] },
        },
        required: ['number', 'date', 'currency', 'total'],
        additionalProperties: false,
      },
      maxTokens: 400,
      temperature: 0,
    },
  },
  {
    slug: 'product-photo',
    name: 'Product photo',
    description: 'Sets the product on your photo into a scene that you describe, the same way again for the same seed.',
    category: 'media',
    priceUsdc: '0.3',
    parameters: [
      {
        name: 'product',
        type: 'image',
        description: 'A photo of the product.',
        contentTypes: ['image/png', 'image/jpeg'],
        maxPixels: 4_000_000,
      },
      { name: 'scene', description: 'Where it stands.', maxLength: 200, example: 'on a wet rock by the sea' },
      { name: 'seed', type: 'integer', description: 'Of the chance.', required: false, minimum: 0, maximum: 1_000_000 },
    ],
    config: {
      modelId: 'black-forest-labs/flux-3-image',
      systemPrompt: 'The product on the picture, unchanged, {scene}{/scene}. Soft light from the left.',
      imageConfig: { aspectRatio: '3:4', references: ['product'], filledBy: { seed: 'seed' } },
    },
  },
  {
    slug: 'text-vector',
    name: 'Vector of a text',
    description: 'The embedding of a text, to find texts that are like it.',
    category: 'data',
    priceUsdc: '0.01',
    parameters: [{ name: 'text', description: 'What to embed.', maxLength: 8000, example: 'Good morning!' }],
    config: {
      modelId: 'openai/text-embedding-3-small',
      systemPrompt: '{text}{/text}',
      embedding: { dimensions: 256 },
    },
  },
];
