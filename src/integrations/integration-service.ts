import type { z } from 'zod';
import type { DiscordClient, OpenRouterClient, TelegramClient } from '#upstreams/index.ts';

/** Clients of the providers; a service's `check` takes the one that it needs. */
export interface ProviderClients {
  openRouter: Pick<OpenRouterClient, 'getKey' | 'getCredits'>;
  telegram: Pick<TelegramClient, 'findChat'>;
  discord: Pick<DiscordClient, 'findWebhook'>;
}

export type ProviderAnswer =
  /** What the provider says; only what the service's `shown` lists is kept. */
  | {
      ok: true;
      label: string | null;
      shown: object;
      /** Does the provider say that money stands behind it? Null or absent: it does not say. */
      hasCredit?: boolean | null;
    }
  /** `unclear` says nothing about the key: the provider could not be asked. `detail` is for the owner. */
  | {
      ok: false;
      verdict: 'refused' | 'unclear';
      detail: string;
      /** What a refusal for want of money found; kept like that of a good answer. */
      shown?: object;
      hasCredit?: boolean | null;
    };

/**
 * What an account can connect; a record of functions, one file each, listed in plugins.ts. `Given` is what the owner
 * sends, `Shown` what is kept of the provider's answer and shown to the owner.
 */
export interface IntegrationService<
  Given extends object = object,
  Shown extends object = object,
  Name extends string = string,
> {
  /** In routes, in operation names and in the announcements of changes. */
  name: Name;
  /** For texts: "OpenRouter refuses your key". */
  provider: string;
  /** For texts: what of the provider's is stored, such as "key". */
  credential: string;
  /** For texts, a sentence: where an owner who has none gets one, and what to send. */
  remedy: string;
  /** Goes into SQL as it is. Its columns are those of `IntegrationRow`. */
  table: `user_${string}_integrations`;
  given: z.ZodObject & z.ZodType<Given>;
  /** An allow-list: parsed from the provider's answer, and unknown fields are dropped. */
  shown: z.ZodObject & z.ZodType<Shown>;
  /** The part of `given` that is sealed, and told to nobody but by its last four characters and its hash. */
  toKey(given: Given): string;
  /** What was given, from what is stored: for another check. */
  toGiven(key: string, shown: Shown): Given;
  /** Did the provider say, when `shown` was kept, that no money is left? Absent: it never says. */
  isSpent?(shown: Shown): boolean;
  /** Asks the provider; never called inside a transaction, never rejects because of the key. */
  check(clients: ProviderClients, given: Given): Promise<ProviderAnswer>;
}

/** What a service is called by, without what it does. */
export type ServiceName<Name extends string = string> = Pick<
  IntegrationService<object, object, Name>,
  'name' | 'provider' | 'credential'
>;
