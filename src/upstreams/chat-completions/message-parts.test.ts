import { expect, test } from 'vitest';
import type { ContentPart } from './chat.ts';
import { toWire } from './adjustments.ts';
import { listTexts, toWireMessages } from './message-parts.ts';
import { quoteUpstream } from './quote-upstream.ts';

const bytes = Buffer.from('a picture of a harbour, and of what lies behind the lighthouse');
const base64 = bytes.toString('base64');

function media(more: Partial<ContentPart & { type: 'media' }>): ContentPart {
  return { type: 'media', kind: 'image', contentType: 'image/png', bytes, filename: 'photo.png', ...more };
}

test.each<[ContentPart, object]>([
  [
    { type: 'text', text: 'Hi' },
    { type: 'text', text: 'Hi' },
  ],
  [media({}), { type: 'image_url', image_url: { url: `data:image/png;base64,${base64}` } }],
  [
    media({ kind: 'audio', contentType: 'audio/mpeg' }),
    { type: 'input_audio', input_audio: { data: base64, format: 'mp3' } },
  ],
  [
    media({ kind: 'audio', contentType: 'audio/mp4' }),
    { type: 'input_audio', input_audio: { data: base64, format: 'm4a' } },
  ],
  [
    media({ kind: 'audio', contentType: 'audio/x-odd' }),
    { type: 'input_audio', input_audio: { data: base64, format: 'x-odd' } },
  ],
  [
    media({ kind: 'video', contentType: 'video/mp4' }),
    { type: 'video_url', video_url: { url: `data:video/mp4;base64,${base64}` } },
  ],
  [
    media({ kind: 'file', contentType: 'application/pdf', filename: 'paper.pdf' }),
    { type: 'file', file: { filename: 'paper.pdf', file_data: `data:application/pdf;base64,${base64}` } },
  ],
])('a part is written as chat completions have it: %j', (part, wire) => {
  expect(toWireMessages([{ role: 'user', content: [part] }])).toEqual([{ role: 'user', content: [wire] }]);
});

test('a model without a system turn reads it as the first text of a message with files', () => {
  const messages = [
    { role: 'system' as const, content: 'Be brief.' },
    { role: 'user' as const, content: [media({})] },
  ];
  const { messages: sent } = toWire({ model: 'm', messages, maxTokens: 1 }, new Set(['no_system_role']));
  expect(sent).toEqual([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Be brief.' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${base64}` } },
      ],
    },
  ]);
});

test('nothing of a file is quoted back: neither its beginning and name, nor a long piece of it', () => {
  const secrets = listTexts([{ role: 'user', content: [media({}), media({ filename: 'private-name-of-ada.png' })] }]);
  for (const echoed of [base64.slice(4, 30), 'private-name-of-ada', 'A'.repeat(80)]) {
    expect(quoteUpstream(`Bad image: ${echoed}`, secrets)).toBe('');
  }
  expect(quoteUpstream('Bad image: it is too small', secrets)).toBe('Bad image: it is too small');
});
