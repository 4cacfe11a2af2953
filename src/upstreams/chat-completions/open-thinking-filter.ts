import { beginsThinking, findForm, splitThinking } from './split-thinking.ts';

/** The same as `splitThinking`, for a text that goes out while it comes. */
export interface ThinkingFilter {
  /** @returns what of the text so far may go out now. */
  push(text: string): string;
  /** The text has ended. @returns what was held back and belongs to the answer. */
  end(): string;
  readonly hasThought: boolean;
}

/** After this many pieces of thinking the rest is the answer, whatever it looks like. */
const MAX_PIECES = 8;

/**
 * Holds back what may be thinking at the beginning of an answer, and blanks, until it is known what they are. An end mark
 * without a beginning cannot be seen before what it ends is out: such text is passed on as it is.
 */
export function openThinkingFilter(): ThinkingFilter {
  const state: State = { held: '', pieces: 0, within: null, isInChannels: false, isPlain: false };
  const channels: string[] = [];
  return {
    push: (text) => {
      if (state.isPlain) {
        return text;
      }
      if (state.isInChannels) {
        channels.push(text);
        return '';
      }
      state.held += text;
      while (!state.isPlain && advance(state)) {
        // Until more has to come.
      }
      if (state.isInChannels) {
        channels.push(take(state));
      }
      return state.isPlain ? take(state) : '';
    },
    end: () => {
      if (state.isInChannels) {
        return splitThinking(channels.join('')).answer;
      }
      return state.within === null ? take(state) : '';
    },
    get hasThought() {
      return state.within !== null || state.isInChannels || state.pieces > 0;
    },
  };
}

interface State {
  held: string;
  /** Of thinking that have ended. */
  pieces: number;
  /** The thinking that is going on. */
  within: { closes: string } | null;
  /** Of which only the end tells what is the answer. */
  isInChannels: boolean;
  isPlain: boolean;
}

/** @returns whether something more can be told of what is held. */
function advance(state: State): boolean {
  return state.within === null ? look(state) : skip(state, state.within.closes);
}

function skip(state: State, closes: string): boolean {
  const at = state.held.indexOf(closes);
  if (at < 0) {
    state.held = state.held.slice(1 - closes.length);
    return false;
  }
  state.held = state.held.slice(at + closes.length).trimStart();
  state.within = null;
  state.pieces += 1;
  return true;
}

function look(state: State): boolean {
  const begun = state.held.trimStart();
  const mayThink = state.pieces < MAX_PIECES;
  const form = mayThink ? findForm(begun) : null;
  if (form === null || (form === 'channels' && state.pieces > 0)) {
    state.isPlain = begun !== '' && !(mayThink && form === null && beginsThinking(begun));
    return false;
  }
  if (form === 'channels') {
    state.isInChannels = true;
    return false;
  }
  state.within = form;
  state.held = begun.slice(form.opens.length);
  return true;
}

function take(state: State): string {
  const text = state.pieces > 0 ? state.held.trimStart() : state.held;
  state.held = '';
  return text;
}
