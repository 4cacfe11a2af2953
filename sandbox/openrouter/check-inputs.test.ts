import { expect, test } from 'vitest';
import { useSimulator } from '../../tests/support/use-simulator.ts';

const simulator = useSimulator();

const data = Buffer.from('bytes').toString('base64');
const parts = {
  image: { type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } },
  audio: { type: 'input_audio', input_audio: { data, format: 'wav' } },
  video: { type: 'video_url', video_url: { url: `data:video/mp4;base64,${data}` } },
  file: { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${data}` } },
};

async function ask(model: string, part: object, more: object = {}) {
  const response = await fetch(`${simulator.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${simulator.keys.healthy}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }, part] }],
      ...more,
    }),
  });
  return { status: response.status, body: (await response.json()) as { error?: { message: string }; usage?: unknown } };
}

test.each(['image', 'audio', 'video'] as const)('a model of text alone gets no %s', async (kind) => {
  expect(await ask('aion-labs/aion-2.0', parts[kind])).toMatchObject({
    status: 404,
    body: { error: { message: `No endpoints found that support ${kind} input` } },
  });
});

test.each(['image', 'audio', 'video', 'file'] as const)('a model that reads %s counts it as tokens', async (kind) => {
  const { status, body } = await ask('google/gemini-2.5-flash', parts[kind]);
  expect(status).toBe(200);
  expect(body.usage).toMatchObject({ prompt_tokens: expect.any(Number) });
});

test('files are parsed for every model, unless the model is to read them itself', async () => {
  expect((await ask('aion-labs/aion-2.0', parts.file)).status).toBe(200);
  const native = { plugins: [{ id: 'file-parser', pdf: { engine: 'native' } }] };
  expect((await ask('aion-labs/aion-2.0', parts.file, native)).status).toBe(404);
});

test('sound in a data URL is refused: the wire has raw base64', async () => {
  const url = { type: 'input_audio', input_audio: { data: `data:audio/wav;base64,${data}`, format: 'wav' } };
  expect((await ask('google/gemini-2.5-flash', url)).status).toBe(400);
});
