import { MAX_USER_MESSAGE_LENGTH, toMaxLength, type CompiledTemplate, type Parameter } from '#resources/index.ts';
import type { Prompt } from './prompt.ts';

/** Estimated tokens of a prompt as it is sent. */
export interface PromptSize {
  typicalTokens: number;
  worstTokens: number;
}

/** English text; said in the basis of every quote. */
const CHARACTERS_PER_TOKEN = 4;
/** Fixed text of any language: the scripts that need most tokens have three bytes a character and about one token. */
const BYTES_PER_TOKEN_AT_WORST = 2;
/** Roles and separators of one message, and the begin of the answer. */
const TOKENS_PER_MESSAGE = 4;
const TOKENS_PER_REPLY = 3;
const TYPICAL_SHARE = 0.25;
const MOST_TYPICAL_CHARACTERS = 400;
const TYPICAL_USER_MESSAGE = 1_000;
const LONGEST_NUMBER = 24;
const TYPICAL_NUMBER = 4;
const LONGEST_BOOLEAN = 5;

/**
 * Of any input that the parameters allow. Typical: values as long as their example or default, else a quarter of what they
 * may be, at four characters a token. At worst: values as long as allowed, at one token a character.
 */
export function measurePrompt(
  prompt: Prompt,
  parameters: readonly Parameter[],
  { allowsUserMessage }: { allowsUserMessage: boolean },
): PromptSize {
  const templates = [prompt.system, ...(prompt.user === null ? [] : [prompt.user])];
  const sizes = templates.map((template) => measureTemplate(template, parameters));
  const messages = allowsUserMessage ? 2 : templates.length;
  const frame = messages * TOKENS_PER_MESSAGE + TOKENS_PER_REPLY;
  const extra = allowsUserMessage ? MAX_USER_MESSAGE_LENGTH : 0;
  const typicalExtra = allowsUserMessage ? toTokens(TYPICAL_USER_MESSAGE) : 0;
  return {
    typicalTokens: sizes.reduce((sum, size) => sum + size.typicalTokens, frame + typicalExtra),
    worstTokens: sizes.reduce((sum, size) => sum + size.worstTokens, frame + extra),
  };
}

/** Of messages as they are sent. */
export function measureMessages(messages: readonly { content: string }[]): PromptSize {
  const frame = messages.length * TOKENS_PER_MESSAGE + TOKENS_PER_REPLY;
  const tokens = messages.reduce((sum, { content }) => sum + toTokens(content.length), frame);
  return { typicalTokens: tokens, worstTokens: messages.reduce((sum, { content }) => sum + content.length, frame) };
}

function measureTemplate(template: CompiledTemplate, parameters: readonly Parameter[]): PromptSize {
  const lengths = new Map(parameters.map((parameter) => [parameter.name, measureValue(parameter)]));
  let characters = 0;
  let worstTokens = 0;
  for (const segment of template.segments) {
    if ('text' in segment) {
      characters += segment.text.length;
      worstTokens += Math.ceil(Buffer.byteLength(segment.text) / BYTES_PER_TOKEN_AT_WORST);
    } else {
      const length = lengths.get(segment.name) ?? { typical: 0, longest: 0 };
      characters += length.typical;
      worstTokens += length.longest;
    }
  }
  return { typicalTokens: toTokens(characters), worstTokens };
}

/** Characters of a parameter's value. */
function measureValue(parameter: Parameter): { typical: number; longest: number } {
  const given = parameter.example ?? parameter.default;
  const shown = given === undefined ? undefined : String(given).length;
  switch (parameter.type) {
    case 'enum': {
      const longest = Math.max(0, ...(parameter.options ?? []).map((option) => option.length));
      return { typical: shown ?? longest, longest };
    }
    case 'number':
    case 'integer':
      return { typical: shown ?? TYPICAL_NUMBER, longest: LONGEST_NUMBER };
    case 'boolean':
      return { typical: LONGEST_BOOLEAN, longest: LONGEST_BOOLEAN };
    default: {
      const longest = toMaxLength(parameter);
      return { typical: shown ?? Math.min(Math.ceil(longest * TYPICAL_SHARE), MOST_TYPICAL_CHARACTERS), longest };
    }
  }
}

function toTokens(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}
