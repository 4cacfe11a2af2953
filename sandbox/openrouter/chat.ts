import { answerInference } from './answer-inference.ts';
import type { Dialect } from './answer-inference.ts';
import type { Exchange } from './exchange.ts';
import { parseChat } from './parse-chat.ts';
import { replyRefusal } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';
import { toChatCompletion, toFrames, toStreamParts } from './wire.ts';

const dialect: Dialect = {
  parse: parseChat,
  toJson: toChatCompletion,
  toFrames: (completion, options) => {
    const parts = toStreamParts(completion, options);
    return options.chosen?.fault.frames?.(parts, options.chosen.after) ?? toFrames(parts);
  },
  refuse: replyRefusal,
};

/** `POST /chat/completions` */
export function answerChat(state: State, exchange: Exchange): Reply | Promise<Reply> {
  return answerInference(state, exchange, dialect);
}
