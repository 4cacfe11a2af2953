import type { AnswerPart, JsonObject, Outcome, PartsEnd } from '#resources/index.ts';
import type { ChatCall } from '#upstreams/index.ts';
import { toBegunEvidence } from './chat-evidence.ts';
import type { ExecutionDeps } from './execution-deps.ts';
import { openFeed } from './open-feed.ts';

/**
 * The answer of a chat in parts, the text while it comes, then the files and what it took. One that ends before any text, or
 * fails before, comes as it is.
 */
export async function giveInParts(
  { clock }: Pick<ExecutionDeps, 'clock'>,
  model: string,
  ask: (onText: NonNullable<ChatCall['onText']>) => Promise<Outcome>,
): Promise<Outcome> {
  const startedAt = clock.now();
  const feed = openFeed();
  let isSimulated = false;
  const asking = ask((text, told) => {
    isSimulated = told.isSimulated;
    return feed.push(text);
  }).finally(() => feed.close());
  // Whoever reads the parts meets it; they may be read by nobody.
  asking.catch(() => {});
  const first = await feed.next();
  if (first === null) {
    return asking;
  }
  const evidence = toBegunEvidence(model, { isSimulated, firstTokenMs: clock.now() - startedAt });
  const body = { type: 'parts' as const, parts: toParts({ first, feed, asking }) };
  return { ok: true, answer: { status: 200, contentType: 'application/json', headers: {}, body, media: [] }, evidence };
}

interface Giving {
  first: string;
  feed: ReturnType<typeof openFeed>;
  asking: Promise<Outcome>;
}

async function* toParts({ first, feed, asking }: Giving): AsyncGenerator<AnswerPart, PartsEnd> {
  try {
    let given = 0;
    for (let text: string | null = first; text !== null; text = await feed.next()) {
      given += text.length;
      yield { type: 'delta', text };
    }
    const outcome = await asking;
    if (!outcome.ok) {
      return outcome;
    }
    const { body, media } = outcome.answer;
    const { response, usage, media: _, ...json }: JsonObject = body.type === 'json' ? body.json : {};
    if (typeof response === 'string' && response.length > given) {
      yield { type: 'delta', text: response.slice(given) };
    }
    for (const file of media) {
      yield { type: 'media', media: file };
    }
    yield { type: 'usage', usage: usage as JsonObject };
    return { ok: true, evidence: outcome.evidence, json };
  } finally {
    feed.leave();
  }
}
