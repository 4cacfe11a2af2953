/** Memory that requests of strangers may hold at a time, in all and of one client. */
export interface ByteBudget {
  /** Sets bytes aside; null where there is no room now. What is taken must be given back, once. */
  take(client: string, bytes: number): { give(): void } | null;
}

export function openByteBudget({ total, perClient }: { total: number; perClient: number }): ByteBudget {
  const held = new Map<string, number>();
  let inAll = 0;
  const add = (client: string, bytes: number): void => {
    const sum = (held.get(client) ?? 0) + bytes;
    inAll += bytes;
    if (sum > 0) {
      held.set(client, sum);
    } else {
      held.delete(client);
    }
  };
  return {
    take: (client, bytes) => {
      if (inAll + bytes > total || (held.get(client) ?? 0) + bytes > perClient) {
        return null;
      }
      add(client, bytes);
      let isHeld = true;
      return {
        give: () => {
          if (isHeld) {
            isHeld = false;
            add(client, -bytes);
          }
        },
      };
    },
  };
}
