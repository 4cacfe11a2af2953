import type { ChatRequest } from './parse-chat.ts';

interface Content {
  userId: string;
  messages: ChatRequest['messages'];
  completion: string | null;
  reasoning: string | null;
}

export interface ContentStore {
  keep(id: string, content: Content): void;
  find(id: string): Content | null;
  clear(): void;
}

const MAX_CONTENTS = 200;
const MAX_CHARACTERS = 64 * 1_024;

/** What the latest calls said and answered, for `GET /generation/content`. Long ones are not kept. */
export function openContentStore(): ContentStore {
  const contents = new Map<string, Content>();
  return {
    keep: (id, content) => {
      if (JSON.stringify(content.messages).length > MAX_CHARACTERS) {
        return;
      }
      contents.set(id, content);
      const [oldest] = contents.keys();
      if (contents.size > MAX_CONTENTS && oldest !== undefined) {
        contents.delete(oldest);
      }
    },
    find: (id) => contents.get(id) ?? null,
    clear: () => contents.clear(),
  };
}
