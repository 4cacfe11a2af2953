import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { z } from 'zod';
import {
  jsonAnswer,
  type Answer,
  type AnswerPart,
  type Evidence,
  type Failure,
  type Outcome,
  type PartsEnd,
  type ResourceKind,
  type RunContext,
} from '#resources/index.ts';
import type { Chunk } from './stream-source.ts';

const toyStreamConfig = z.strictObject({
  /** Of a stream source. */
  source: z.string(),
  form: z.enum(['parts', 'json', 'bytes']).default('parts'),
});

const evidenceSchema = z.object({ chunks: z.int() });

/** A whole kind that passes on what a stream source says, chunk by chunk, or all of it as JSON or bytes. */
export function openToyStream(): ResourceKind<z.output<typeof toyStreamConfig>> {
  return {
    name: 'toy_stream',
    title: 'Toy stream',
    summary: 'Passes on what a source says, chunk by chunk.',
    configSchema: toyStreamConfig,
    evidenceSchema,
    answerSchema: z.object({ response: z.string() }),
    answerExample: { response: 'Hello.' },
    examples: [
      {
        slug: 'stream',
        name: 'Stream',
        description: 'Passes on what a source says.',
        category: 'ai',
        priceUsdc: '0.01',
        parameters: [{ name: 'topic', type: 'string', example: 'rain' }],
        config: { source: 'http://127.0.0.1:9/' },
      },
    ],
    settlementPoints: ['on_success', 'at_first_output', 'upfront'],
    checkPublishable: async ({ source }) =>
      URL.canParse(source) ? [] : [{ path: '/config/source', message: 'This is no URL.' }],
    toPublic: ({ form }) => ({ form }),
    isReady: async () => ({ ready: true }),
    run: async (version, input, { signal, report }) => {
      const { source, form } = toyStreamConfig.parse(version.config);
      const url = new URL(source);
      url.searchParams.set('topic', String(input['topic']));
      try {
        const response = await fetch(url, { signal });
        const parts = readParts(response, report);
        return form === 'parts' ? { ok: true, answer: toAnswer(parts), evidence: toEvidence(0) } : collect(parts, form);
      } catch {
        return broken(0);
      }
    },
  };
}

type Parts = AsyncGenerator<AnswerPart, PartsEnd>;

async function* readParts(response: Response, report: RunContext['report']): Parts {
  let chunks = 0;
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  // What breaks after the last line was read is nobody's any more.
  body.on('error', () => {});
  const lines = createInterface({ input: body });
  lines.on('error', () => {});
  try {
    for await (const line of lines) {
      const chunk = JSON.parse(line) as Chunk;
      if (!('text' in chunk)) {
        return { ok: false, problem: 'upstream_failed', cause: 'toy_failed: as told', evidence: toEvidence(chunks) };
      }
      chunks += 1;
      report?.({ percent: chunks * 30, note: `chunk ${chunks}` });
      yield { type: 'delta', text: chunk.text };
    }
  } catch {
    return broken(chunks);
  }
  yield { type: 'usage', usage: { chunks } };
  return { ok: true, evidence: toEvidence(chunks) };
}

function broken(chunks: number): Failure {
  const cause = 'toy_broken: the connection to the source broke';
  return { ok: false, problem: 'upstream_failed', cause, evidence: toEvidence(chunks) };
}

async function collect(parts: Parts, form: 'json' | 'bytes'): Promise<Outcome> {
  let text = '';
  for (;;) {
    const next = await parts.next();
    if (next.done) {
      const answer = form === 'json' ? jsonAnswer({ response: text }) : toBytes(text);
      return next.value.ok ? { ok: true, answer, evidence: next.value.evidence } : next.value;
    }
    text += next.value.type === 'delta' ? next.value.text : '';
  }
}

function toAnswer(parts: Parts): Answer {
  return { status: 200, contentType: 'text/plain', headers: {}, body: { type: 'parts', parts }, media: [] };
}

function toBytes(text: string): Answer {
  return {
    status: 200,
    contentType: 'text/plain; charset=utf-8',
    headers: { 'Content-Language': 'en', 'Set-Cookie': 'a=b' },
    body: { type: 'bytes', bytes: Buffer.from(text) },
    media: [],
  };
}

function toEvidence(chunks: number): Evidence {
  return { attempts: 1, firstOutputMs: 1, costUsd: chunks === 0 ? '0' : '0.001', isSimulated: true, own: { chunks } };
}
