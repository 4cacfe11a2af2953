import { beforeEach, describe, expect, test } from 'vitest';
import { Problem } from '#kit/index.ts';
import { parameterSchema } from '#resources/parameter.ts';
import { makePdf, makePng, makeWav, toDataUrl } from '../../../tests/support/files.ts';
import { quietLog } from '../../../tests/support/test-chain.ts';
import { attachFiles } from './attach-files.ts';
import { openInputMedia } from './open-input-media.ts';

const ID = 'a'.repeat(32);
const png = makePng(20, 10);
let uploads: Map<string, Buffer>;
let kept: { callId: string; bytes: Uint8Array }[];
let opened: string[];

const inputs = openInputMedia({
  outbound: {
    open: (url) => {
      opened.push(url);
      throw new Problem('invalid_input', { detail: 'Only https URLs are called.' });
    },
  },
  media: {
    readUpload: async (id, maxBytes) => {
      const bytes = uploads.get(id);
      if (bytes !== undefined && bytes.length > maxBytes) {
        return { tooLarge: bytes.length };
      }
      return bytes === undefined ? null : { bytes, contentType: 'text/plain', kind: 'file' };
    },
    keepInput: async ({ callId, contentType, bytes }) => {
      kept.push({ callId, bytes });
      return { id: `kept-${kept.length}`, contentType, sizeBytes: bytes.length, sha256: 'ab' };
    },
    forgetInputs: async () => {},
  },
  log: quietLog,
});

beforeEach(() => {
  uploads = new Map([[ID, png]]);
  kept = [];
  opened = [];
});

function one(fields: object) {
  return [parameterSchema.parse({ name: 'it', ...fields })];
}

async function check(fields: object, it: string): Promise<string[]> {
  const found = await inputs.check({ parameters: one(fields), clientAddress: '192.0.2.1', input: { it } });
  return found === 'busy' ? [found] : found.map(({ path, message }) => `${path} ${message}`);
}

function keep(fields: object, it: string) {
  return inputs.keep({ parameters: one(fields), callId: 'c1', clientAddress: '192.0.2.1', input: { it } });
}

test.each<[string, object, string, string]>([
  [
    'bytes',
    { type: 'image', maxBytes: 50 },
    toDataUrl('image/png', png),
    `has about ${png.length} bytes, and at most 50`,
  ],
  [
    'pixels',
    { type: 'image', maxPixels: 199 },
    toDataUrl('image/png', png),
    'has 200 pixels, and at most 199 are taken',
  ],
  ['pages', { type: 'pdf', maxPages: 2 }, toDataUrl('a/b', makePdf(3)), 'has 3 pages, and at most 2 are taken'],
  [
    'seconds',
    { type: 'audio', maxSeconds: 2 },
    toDataUrl('a/b', makeWav(2.5)),
    'has 3 seconds, and at most 2 are taken',
  ],
  [
    'its type',
    { type: 'image', contentTypes: ['image/jpeg'] },
    toDataUrl('image/jpeg', png),
    'is image/png, and taken are: image/jpeg',
  ],
  [
    'its type, whatever it is called',
    { type: 'image' },
    toDataUrl('image/png', Buffer.from('<svg/>')),
    'is a file that is not known here',
  ],
  [
    'pages that cannot be counted',
    { type: 'pdf' },
    toDataUrl('a/b', makePdf(0)),
    'does not tell how many pages it has',
  ],
  ['what is no base64', { type: 'image' }, 'data:image/png;base64,a b', 'is a data URL that holds no base64'],
])(
  'a file is refused for %s, and the refusal names parameter, limit and what was found',
  async (...[, fields, it, says]) => {
    const [message] = await check(fields, it);
    expect(message).toContain(`/it \`it\` ${says}`);
    const refused = await keep(fields, it);
    expect(refused).toMatchObject({ ok: false, fields: [{ path: '/it', message: expect.stringContaining(says) }] });
    expect(kept).toEqual([]);
  },
);

describe('an upload', () => {
  test('is used in one call and in another', async () => {
    for (const _call of [1, 2]) {
      expect(await check({ type: 'image' }, `upload:${ID}`)).toEqual([]);
      expect(await keep({ type: 'image' }, `upload:${ID}`)).toMatchObject({
        ok: true,
        input: { it: { kind: 'image', contentType: 'image/png', sizeBytes: png.length } },
      });
    }
    expect(kept.map(({ bytes }) => Buffer.from(bytes))).toEqual([png, png]);
  });

  test.each([
    ['that is of nobody', () => `upload:${'b'.repeat(32)}`],
    ['that has expired', () => (uploads.delete(ID), `upload:${ID}`)],
  ])('%s is refused before money moves, without its id', async (_name, it) => {
    const [message] = await check({ type: 'image' }, it());
    expect(message).toBe('/it `it` names an upload that is not here, or no longer. Upload the file again.');
  });

  test('that expires between check and run is refused then, uncharged', async () => {
    expect(await check({ type: 'image' }, `upload:${ID}`)).toEqual([]);
    uploads.delete(ID);
    expect(await keep({ type: 'image' }, `upload:${ID}`)).toMatchObject({ ok: false });
  });

  test('is judged by its bytes, not by the type that it was uploaded with', async () => {
    expect(await check({ type: 'pdf' }, `upload:${ID}`)).toEqual([
      '/it `it` is image/png, and taken are: application/pdf.',
    ]);
  });
});

test('of a URL only its form is looked at before the payment is verified', async () => {
  expect(await check({ type: 'image' }, 'https://files.example/secret-token.png')).toEqual([
    '/it `it` cannot be fetched: its address is not allowed. Only https URLs are called.',
  ]);
  expect(opened).toEqual(['https://files.example/secret-token.png']);
  expect(await keep({ type: 'image' }, 'https://files.example/secret-token.png')).toMatchObject({ ok: false });
});

test('calls of one client that would hold too much memory at once wait, those of others do not', async () => {
  const large = { type: 'image', maxBytes: 20_000_000 };
  const several = Array.from({ length: 6 }, () => keep(large, `upload:${ID}`));
  const other = inputs.keep({
    parameters: one(large),
    callId: 'c2',
    clientAddress: '192.0.2.2',
    input: { it: toDataUrl('image/png', png) },
  });
  const results = await Promise.all(several);
  expect(results.filter((result) => result.ok)).toHaveLength(4);
  expect(results.filter((result) => 'busy' in result)).toHaveLength(2);
  expect(await other).toMatchObject({ ok: true });
  expect(await keep(large, toDataUrl('image/png', png))).toMatchObject({ ok: true });
});

test('calls that nobody pays for take up nothing that paid calls need', async () => {
  const parameters = one({ type: 'pdf', maxBytes: 20_000_000 });
  const asked = { parameters, callId: 'c1', input: { it: `upload:${ID}` } };
  const free = Array.from({ length: 20 }, (_, at) =>
    inputs.keep({ ...asked, clientAddress: `192.0.2.${at}`, isFree: true }),
  );
  const paid = await inputs.keep({ ...asked, parameters: one({ type: 'image' }), clientAddress: '198.51.100.1' });
  expect(paid).toMatchObject({ ok: true });
  expect((await Promise.all(free)).filter((result) => 'busy' in result)).not.toEqual([]);
});

test('checks before a payment hold no more memory than there is for them', async () => {
  const asked = { parameters: one({ type: 'image', maxBytes: 20_000_000 }), input: { it: `upload:${ID}` } };
  const several = await Promise.all(
    Array.from({ length: 6 }, () => inputs.check({ ...asked, clientAddress: '192.0.2.1' })),
  );
  expect(several.filter((found) => found === 'busy')).toHaveLength(2);
  expect(await inputs.check({ ...asked, clientAddress: '192.0.2.1' })).toEqual([]);
});

test('what cannot be had for a paid call stays as it was sent, and what was sent is kept', async () => {
  const parameters = [...one({ type: 'image' }), parameterSchema.parse({ name: 'other', type: 'image' })];
  const input = { it: toDataUrl('image/png', png), other: 'https://files.example/gone.png', topic: 'x' };
  const asked = { parameters, callId: 'c1', clientAddress: 'unknown', input };
  const sent = await inputs.keepReachable(asked, 'sent');
  expect(sent).toEqual({ ...input, it: expect.objectContaining({ sha256: 'ab' }) });
  expect(opened).toEqual([]);
  expect(await inputs.keepReachable({ ...asked, input: sent }, 'all')).toEqual(sent);
  expect(opened).toHaveLength(1);
  expect(kept).toHaveLength(1);
});

test('a file that a paid call can never use is not kept as text: the reason stands in its place', async () => {
  const asked = { parameters: one({ type: 'image' }), callId: 'c1', clientAddress: 'unknown' };
  const it = toDataUrl('image/png', makeWav());
  const input = await inputs.keepReachable({ ...asked, input: { it } }, 'sent');
  expect(input).toEqual({ it: { unusable: expect.stringContaining('is audio/wav') } });
  expect(await inputs.keepReachable({ ...asked, input }, 'all')).toEqual(input);
  const attached = await attachFiles({ media: { readInput: async () => null } }, asked.parameters, input);
  expect(attached).toMatchObject({ ok: false, cause: expect.stringContaining('`it` is audio/wav, and taken are') });
});
