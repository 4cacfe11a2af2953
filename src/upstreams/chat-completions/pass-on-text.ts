import type { ChatCall } from './chat.ts';
import type { Collected } from './collect-answer.ts';
import { openThinkingFilter } from './open-thinking-filter.ts';

export interface TextPassing {
  /** Passes on what has been collected since. */
  pass(): void;
  /** The answer has ended well: its text is what was passed on, and the rest of it. */
  end(): void;
  untilTaken(): Promise<void> | null;
}

/** Gives the text of an answer to whoever wants it while it comes, without what the model thought. */
export function passOnText(
  attempt: { collected: Collected; isSimulated: boolean },
  onText: NonNullable<ChatCall['onText']>,
): TextPassing {
  const { collected } = attempt;
  const filter = openThinkingFilter();
  let passed = '';
  let taken: Promise<void> | null = null;
  const give = (text: string): void => {
    if (text !== '') {
      passed += text;
      taken = onText(text, { isSimulated: attempt.isSimulated });
    }
  };
  const pass = (): void => {
    const text = collected.newText;
    collected.newText = '';
    give(filter.push(text));
  };
  return {
    pass,
    end: () => {
      pass();
      const rest = filter.end();
      // Blanks alone are no answer.
      give(passed === '' && rest.trim() === '' ? '' : rest);
      collected.text = passed;
      collected.hasReasoned ||= filter.hasThought;
    },
    untilTaken: () => taken,
  };
}
