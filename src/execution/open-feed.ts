/** Beyond this many characters that nobody has taken, whoever makes more of them is to wait. */
const MOST_WAITING = 64 * 1024;

/** Text that is made at one end while it is read at the other. */
export interface Feed {
  /** @returns what is to be waited for before more is made; null: nothing. */
  push(text: string): Promise<void> | null;
  /** Nothing more comes. */
  close(): void;
  /** All that has come since, as one piece; null at the end. */
  next(): Promise<string | null>;
  /** Nobody reads on, so nobody is to wait. */
  leave(): void;
}

export function openFeed(): Feed {
  let waiting = '';
  let isClosed = false;
  let hasLeft = false;
  let arrived = Promise.withResolvers<void>();
  let room: PromiseWithResolvers<void> | null = null;
  const makeRoom = (): void => {
    room?.resolve();
    room = null;
  };
  return {
    push: (text) => {
      if (hasLeft) {
        return null;
      }
      if (waiting === '') {
        arrived.resolve();
      }
      waiting += text;
      if (waiting.length <= MOST_WAITING) {
        return null;
      }
      room ??= Promise.withResolvers();
      return room.promise;
    },
    close: () => {
      isClosed = true;
      arrived.resolve();
    },
    next: async () => {
      if (waiting === '' && !isClosed) {
        await arrived.promise;
      }
      arrived = Promise.withResolvers();
      const text = waiting;
      waiting = '';
      makeRoom();
      return text === '' ? null : text;
    },
    leave: () => {
      hasLeft = true;
      waiting = '';
      makeRoom();
    },
  };
}
