import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { ApiKey } from './api-key.ts';
import type { SimulatorControl } from './control.ts';
import type { Exchange } from './exchange.ts';
import { faultRoutes } from './fault-plan.ts';
import { providers } from './providers.ts';
import { refuse } from './refusal.ts';
import { replyJson, replyRefusal } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';

export const CONTROL_PATH = '/__sim/';

/** What steers the simulator, and the token that opens it to other processes; null: to none. */
export interface RemoteControl {
  steer: SimulatorControl;
  token: string | null;
}

const amount = z.string().regex(/^\d+(\.\d+)?$/);
const milliseconds = z.number().int().nonnegative().max(31_536_000_000);

const faultSchema = z.strictObject({
  name: z.string(),
  times: z.number().int().positive().optional(),
  after: z.number().int().nonnegative().optional(),
  route: z.enum(faultRoutes).optional(),
  model: z.string().optional(),
  key: z.string().optional(),
  probability: z.number().min(0).max(1).optional(),
});

const accountSchema = z.strictObject({
  /** Any key of the account. */
  key: z.string(),
  creditsUsd: amount.optional(),
  usesOwnProviderKey: z.boolean().optional(),
  zdr: z.boolean().optional(),
  deniesTraining: z.boolean().optional(),
  isBlocked: z.boolean().optional(),
  keepsContent: z.boolean().optional(),
});

const keySchema = z.strictObject({
  key: z.string(),
  limitRemainingUsd: amount.nullable().optional(),
  isDisabled: z.boolean().optional(),
  mayReadCredits: z.boolean().optional(),
});

const modelSchema = z.strictObject({
  id: z.string(),
  pricing: z.record(z.string(), amount).optional(),
  fields: z.record(z.string(), z.unknown()).optional(),
  retire: z.strictObject({ expirationDate: z.iso.date().optional(), listed: z.boolean().optional() }).optional(),
  newId: z.string().min(1).optional(),
});

const settingsSchema = z.strictObject({
  latency: z
    .strictObject({
      firstTokenMs: milliseconds,
      tokensPerSecond: z.number().nonnegative(),
      jitterMs: milliseconds,
      commentEveryMs: milliseconds,
    })
    .partial()
    .optional(),
  slowMs: milliseconds.optional(),
  splitBytes: z.number().int().nonnegative().optional(),
  usageChunkChoices: z.enum(['repeat', 'empty']).optional(),
  downProviders: z.array(z.enum(providers.map(({ tag }) => tag) as [string, ...string[]])).optional(),
});

type Handler = (state: State, steer: SimulatorControl, body: unknown) => unknown;

const handlers: Readonly<Record<string, Handler>> = {
  'GET state': (state) => describeState(state),
  'POST reset': (state, steer) => {
    steer.reset();
    return describeState(state);
  },
  'GET requests': (_state, steer) => steer.requests,
  'GET faults': (state) => state.faults.list(),
  'POST faults': (state, steer, body) => {
    const { name, ...scope } = faultSchema.parse(body);
    steer.fail(name, definedOnly(scope));
    return state.faults.list();
  },
  'DELETE faults': (_state, steer) => {
    steer.clearFaults();
    return [];
  },
  'GET clock': (state) => ({ now: state.clock.now() }),
  'POST clock': (state, steer, body) => {
    steer.advanceClock(z.strictObject({ advanceMs: milliseconds }).parse(body).advanceMs);
    return { now: state.clock.now() };
  },
  'GET accounts': (state) => describeState(state)['accounts'],
  'PATCH accounts': (state, steer, body) => {
    const { key, creditsUsd, ...settings } = accountSchema.parse(body);
    steer.setAccount(key, definedOnly(settings));
    if (creditsUsd !== undefined) {
      steer.setCredits(key, creditsUsd);
    }
    return describeState(state)['accounts'];
  },
  'GET keys': (state) => describeState(state)['keys'],
  'PATCH keys': (state, steer, body) => {
    const { key, limitRemainingUsd, isDisabled, mayReadCredits } = keySchema.parse(body);
    if (limitRemainingUsd !== undefined) {
      steer.setLimitRemaining(key, limitRemainingUsd);
    }
    if (isDisabled !== undefined) {
      steer.disableKey(key, isDisabled);
    }
    if (mayReadCredits !== undefined) {
      steer.setCreditsReadable(key, mayReadCredits);
    }
    return describeState(state)['keys'];
  },
  'PATCH models': (state, steer, body) => {
    const { id, pricing, fields, retire, newId } = modelSchema.parse(body);
    if (fields !== undefined) {
      steer.changeEntry(id, fields);
    }
    if (pricing !== undefined) {
      steer.changePrice(id, pricing);
    }
    if (retire !== undefined) {
      steer.retireModel(id, definedOnly(retire));
    }
    if (newId !== undefined) {
      steer.renameModel(id, newId);
    }
    return state.catalogue.find(id);
  },
  'PATCH settings': (state, steer, body) => {
    const settings = settingsSchema.parse(body);
    steer.setLatency(definedOnly(settings.latency ?? {}));
    steer.setSlowMs(settings.slowMs ?? state.slowMs);
    steer.setSplitBytes(settings.splitBytes ?? state.splitBytes);
    steer.setUsageChunkChoices(settings.usageChunkChoices ?? state.usageChunkChoices);
    for (const { tag } of settings.downProviders === undefined ? [] : providers) {
      steer.setProviderDown(tag, settings.downProviders?.includes(tag));
    }
    return describeState(state);
  },
};

/** `/__sim/*`: only with the token; without one configured there is nothing here. */
export function answerControl(state: State, exchange: Exchange, { steer, token }: RemoteControl): Reply {
  if (token === null) {
    return replyRefusal(refuse(404, 'Not Found', { error_type: 'not_found' }));
  }
  if (!isSame(exchange.keyText ?? '', token)) {
    return replyRefusal(refuse(401, 'The control of the simulator needs its token as a bearer token'));
  }
  const handler = handlers[`${exchange.method} ${exchange.path.slice(CONTROL_PATH.length)}`];
  if (handler === undefined) {
    return replyRefusal(refuse(404, `Known: ${Object.keys(handlers).join(', ')}`));
  }
  try {
    return replyJson({ data: handler(state, steer, exchange.body) });
  } catch (error) {
    const said = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    return replyRefusal(refuse(400, said));
  }
}

function describeState(state: State): Record<string, unknown> {
  const keys = [...state.keys.values()];
  const accounts = [...new Set(keys.map(({ account }) => account))];
  return {
    seed: state.seed,
    now: state.clock.now(),
    accounts: accounts.map(({ creditsPurchased, creditsUsed, reserved, ...account }) => ({
      ...account,
      creditsUsd: creditsPurchased.minus(creditsUsed).toFixed(),
      reservedUsd: reserved.toFixed(),
    })),
    keys: keys.map(describeKey),
    faults: state.faults.list(),
    generations: state.generations.size,
    latency: state.latency,
    slowMs: state.slowMs,
    splitBytes: state.splitBytes,
    usageChunkChoices: state.usageChunkChoices,
    downProviders: [...state.downProviders],
  };
}

function describeKey({ name, key, hash, account, limit, isDisabled, expiresAt, isManagement }: ApiKey) {
  return {
    name,
    key,
    hash,
    account: account.name,
    limit: limit?.toFixed() ?? null,
    isDisabled,
    expiresAt,
    isManagement,
  };
}

/** Optional members that a body left out are not there at all. */
function definedOnly<T extends object>(value: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}

function isSame(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
