import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import { parseJsonExact } from '../chat-completions/parse-json.ts';
import { findError } from '../chat-completions/read-error.ts';
import { costKeys } from '../chat-completions/true-cost.ts';

const END = '[DONE]';
const completed = z.looseObject({ type: z.literal('image_generation.completed') });

/**
 * The body of an answer of `/images`, also where it comes as events although nobody asked for them: one event for each
 * finished picture, one of them with the usage. Pictures that are still being made and texts are passed over. Undefined where
 * it is neither, or where a stream breaks off: of its pictures nobody knows then whether they are all.
 */
export function parseImages(text: string): unknown {
  return /^\s*[[{]/.test(text) ? parseExact(text) : parseEvents(text);
}

function parseEvents(text: string): unknown {
  const events: unknown[] = [];
  let hasEnded = false;
  const parser = createParser({
    onEvent: ({ data }) => {
      hasEnded ||= data === END;
      events.push(hasEnded ? undefined : parseExact(data));
    },
  });
  parser.feed(text.replace(/^\uFEFF/, ''));
  // Some upstreams leave out the blank line after their last event.
  parser.feed('\n\n');
  const error = events.map(findError).find(Boolean);
  if (error) {
    return { error };
  }
  const pictures = events.flatMap((event) => {
    const picture = completed.safeParse(event).data;
    return picture ? [picture] : [];
  });
  const usages = pictures.flatMap(({ usage }) => (usage ? [usage] : []));
  // Of several nobody knows whether each is a sum.
  return hasEnded ? { data: pictures, ...(usages.length === 1 ? { usage: usages[0] } : {}) } : undefined;
}

function parseExact(json: string): unknown {
  try {
    return parseJsonExact(json, costKeys);
  } catch {
    return undefined;
  }
}
