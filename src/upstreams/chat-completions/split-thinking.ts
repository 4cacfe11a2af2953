/** How models mark their thinking where an upstream leaves it in the text of the answer. */
interface Form {
  opens: string;
  closes: string;
  source: string;
}

const forms: readonly Form[] = [
  { opens: '<think>', closes: '</think>', source: 'vercel/ai#6715 (Magistral), ollama/ollama#8837 (DeepSeek R1)' },
  { opens: '<thinking>', closes: '</thinking>', source: 'vercel/ai#7078, BerriAI/litellm#9063 (Amazon Nova)' },
  { opens: '<thought>', closes: '</thought>', source: 'GoogleCloudPlatform/generative-ai#2090' },
  { opens: '[THINK]', closes: '[/THINK]', source: 'vllm-project/vllm#21333 (Magistral)' },
  { opens: '◁think▷', closes: '◁/think▷', source: 'Blaizzy/mlx-vlm#299 (Kimi-VL)' },
  { opens: '<seed:think>', closes: '</seed:think>', source: 'vllm-project/vllm#23241 (Seed-OSS)' },
];

const MAX_PIECES = 8;

/**
 * Takes the thinking off the beginning of a text. Text that talks about such a mark further on is left as it is. Thinking
 * that does not end leaves no answer.
 */
export function splitThinking(text: string): { answer: string; hasThought: boolean } {
  const channels = splitChannels(text.trimStart());
  if (channels !== null) {
    return { answer: channels, hasThought: true };
  }
  let answer = takeOff(text);
  if (answer === null) {
    const afterEnd = findAfterLoneEnd(text);
    return { answer: afterEnd ?? text, hasThought: afterEnd !== null };
  }
  // Some think in several pieces before they answer.
  for (let pieces = 1; pieces < MAX_PIECES; pieces += 1) {
    answer = takeOff(answer) ?? answer;
  }
  return { answer, hasThought: true };
}

/** How a text without blanks before it begins to think; null where it does not, or not yet. */
export function findForm(begun: string): Form | 'channels' | null {
  return begun.startsWith(CHANNEL) || begun.startsWith(STARTED_CHANNEL)
    ? 'channels'
    : (forms.find(({ opens }) => begun.startsWith(opens)) ?? null);
}

/** Whether more of the text could show that it begins with thinking. */
export function beginsThinking(begun: string): boolean {
  return [...forms.map(({ opens }) => opens), CHANNEL, STARTED_CHANNEL].some((opens) => opens.startsWith(begun));
}

/** What follows the thinking that the text begins with; null where it begins with none. */
function takeOff(text: string): string | null {
  const begun = text.trimStart();
  const form = forms.find(({ opens }) => begun.startsWith(opens));
  if (!form) {
    return null;
  }
  const end = begun.indexOf(form.closes);
  return end < 0 ? '' : begun.slice(end + form.closes.length).trimStart();
}

const CHANNEL = '<|channel|>';
const STARTED_CHANNEL = `<|start|>assistant${CHANNEL}`;
const MESSAGE = '<|message|>';
const marks = ['<|end|>', '<|return|>', '<|start|>', CHANNEL];

/**
 * The channels of gpt-oss: only what stands in `final` is meant for the user; null where there are none.
 * llama.cpp may leave out the marks of the last one.
 * @source ggml-org/llama.cpp#15181
 */
function splitChannels(text: string): string | null {
  const begun = text.startsWith('<|start|>assistant') ? text.slice('<|start|>assistant'.length) : text;
  if (!begun.startsWith(CHANNEL)) {
    return null;
  }
  const final = begun.indexOf(`${CHANNEL}final`);
  const last = begun.lastIndexOf('<|end|>');
  const from = final < 0 ? last : begun.indexOf(MESSAGE, final);
  if (from < 0) {
    return '';
  }
  const rest = begun.slice(from + (final < 0 ? '<|end|>' : MESSAGE).length);
  const ends = marks.map((mark) => rest.indexOf(mark)).filter((at) => at >= 0);
  return rest.slice(0, ends.length === 0 ? undefined : Math.min(...ends)).trim();
}

/**
 * A template that opens the thinking by itself leaves only its end in the text, on a line of its own. Nothing else is
 * taken for it: not a mark in a sentence, in a listing, or one of several.
 * @source deepseek-ai/DeepSeek-R1#526
 */
function findAfterLoneEnd(text: string): string | null {
  if (!text.includes('</think>')) {
    return null;
  }
  const [thinking = '', answer, ...more] = text.split(/^[ \t]*<\/think>[ \t]*$/m);
  const isLone = answer !== undefined && more.length === 0 && !/<\/?think>/i.test(thinking + answer);
  const isInListing = (thinking.match(/^[ \t]*```/gm)?.length ?? 0) % 2 === 1;
  return isLone && !isInListing && thinking.trim() !== '' ? answer.trimStart() : null;
}
