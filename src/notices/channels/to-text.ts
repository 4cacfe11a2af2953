import type { Message } from '../channel.ts';

/** Of a digest; all of them stand in the inbox. */
const MOST_TOLD = 20;

/** A headline and a text with every notice, within a length. `escape`: of what strangers may have written. */
export function toText(
  { notices, isTest }: Pick<Message, 'notices' | 'isTest'>,
  { maxLength, escape = (text) => text }: { maxLength: number; escape?: (text: string) => string },
): { headline: string; text: string } {
  const [first] = notices;
  if (isTest || !first) {
    return { headline: 'Farebox: a test', text: 'This is a test of Farebox. Notices reach you here.' };
  }
  const headline = notices.length === 1 ? first.title : `${notices.length} notices of Farebox`;
  const told: string[] = [];
  let left = maxLength - 100;
  for (const { title, body } of notices.slice(0, MOST_TOLD)) {
    const block = `${escape(title)}\n${escape(body)}`.slice(0, Math.floor(maxLength / 2)).toWellFormed();
    if (block.length + 2 > left) {
      break;
    }
    told.push(block);
    left -= block.length + 2;
  }
  const more = notices.length - told.length;
  return {
    headline,
    text: [...told, ...(more > 0 ? [`And ${more} more in your inbox.`] : [])].join('\n\n'),
  };
}
