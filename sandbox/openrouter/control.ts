import { Big } from 'big.js';
import { spentIn } from './accounts.ts';
import type { Account } from './api-key.ts';
import { createDemoKeys } from './demo-keys.ts';
import type { FaultScope } from './fault-plan.ts';
import { DEFAULT_SLOW_MS, type Latency, type RecordedRequest, type State } from './state.ts';

export type AccountSettings = Partial<
  Pick<Account, 'usesOwnProviderKey' | 'zdr' | 'deniesTraining' | 'isBlocked' | 'keepsContent'>
>;

/** Steers a simulator from inside the process: tests, the demo, the sandbox page. */
export interface SimulatorControl {
  /** What came in, oldest first; only the latest are kept. */
  readonly requests: readonly RecordedRequest[];
  /** Back to the first state: accounts, codes of the consent page, generations, faults, prices, requests. Latency stays. */
  reset(): void;
  setLatency(latency: Partial<Latency>): void;
  /** Makes the next matching request (or `times` of them) go wrong. Names: the fault table. */
  fail(name: string, scope?: FaultScope): void;
  clearFaults(): void;
  /** Merges into the price of a model; decimal strings in USD. */
  changePrice(modelId: string, pricing: Record<string, string>): void;
  /** Lists a model with other fields, odd ones too; its calls are priced as far as the prices can be read. */
  changeEntry(modelId: string, fields: Record<string, unknown>): void;
  /** Lists a model under another id and the same canonical slug; requests for the old id are answered as well. */
  renameModel(modelId: string, newId: string): void;
  /** Answers 404 from now on. `listed: false` also takes it from the list. */
  retireModel(modelId: string, options?: { expirationDate?: string; listed?: boolean }): void;
  /** Over the latency of the whole simulator. */
  setModelLatency(modelId: string, latency: Partial<Latency>): void;
  /** How late the faults `slow_headers` and `slow_body` are; 5 seconds unless told. */
  setSlowMs(milliseconds: number): void;
  /** Whether the event with usage repeats the last choice or has none. */
  setUsageChunkChoices(form: State['usageChunkChoices']): void;
  /** A provider that is down is passed over, where the request lets another one answer. */
  setProviderDown(tag: string, isDown?: boolean): void;
  /** Sets the clock forward: limits reset, free calls come back, generations appear. */
  advanceClock(milliseconds: number): void;
  setAccount(key: string, settings: AccountSettings): void;
  /** Cuts streams into writes of so many bytes; 0 ends it. */
  setSplitBytes(bytes: number): void;
  setCredits(key: string, usd: string): void;
  /** Lets this ordinary key read the balance of its account. */
  setCreditsReadable(key: string, mayRead: boolean): void;
  /** What the key may still spend of its account; null: no limit. */
  setLimitRemaining(key: string, usd: string | null): void;
  disableKey(key: string, isDisabled?: boolean): void;
  getBalance(key: string): { creditsUsd: string; keyUsageUsd: string; reservedUsd: string };
}

export function openControl(state: State): SimulatorControl {
  return {
    ...steerAccounts(state),
    get requests() {
      return state.requests;
    },
    reset: () => {
      state.keys = createDemoKeys();
      state.generations.clear();
      state.contents.clear();
      state.promptCache.clear();
      state.modelLatency.clear();
      state.downProviders.clear();
      state.clock.reset();
      state.usageChunkChoices = 'repeat';
      state.videos.clear();
      state.grants.clear();
      state.slowMs = DEFAULT_SLOW_MS;
      state.faults.clear();
      state.catalogue.reset();
      state.requests.length = 0;
      state.sequence = 0;
      state.splitBytes = 0;
    },
    setLatency: (latency) => {
      state.latency = { ...state.latency, ...latency };
    },
    fail: (name, scope) => state.faults.fail(name, scope),
    clearFaults: () => state.faults.clear(),
    changePrice: (modelId, pricing) =>
      state.catalogue.change(modelId, (model) => ({ ...model, pricing: { ...model.pricing, ...pricing } })),
    changeEntry: (modelId, fields) => state.catalogue.change(modelId, (model) => ({ ...model, ...fields })),
    renameModel: (modelId, newId) => state.catalogue.rename(modelId, newId),
    retireModel: (modelId, options = {}) => {
      const expirationDate = options.expirationDate ?? new Date(state.clock.now()).toISOString().slice(0, 10);
      state.catalogue.change(modelId, (model) => ({ ...model, expiration_date: expirationDate }));
      if (options.listed === false) {
        state.catalogue.remove(modelId);
      }
    },
    setModelLatency: (modelId, latency) => {
      state.modelLatency.set(modelId, latency);
    },
    setSlowMs: (milliseconds) => {
      state.slowMs = milliseconds;
    },
    setUsageChunkChoices: (form) => {
      state.usageChunkChoices = form;
    },
    setProviderDown: (tag, isDown = true) => {
      if (isDown) {
        state.downProviders.add(tag);
      } else {
        state.downProviders.delete(tag);
      }
    },
    advanceClock: (milliseconds) => state.clock.advance(milliseconds),
    setSplitBytes: (bytes) => {
      state.splitBytes = bytes;
    },
  };
}

type AccountControl = Pick<
  SimulatorControl,
  'setCredits' | 'setCreditsReadable' | 'setLimitRemaining' | 'disableKey' | 'getBalance' | 'setAccount'
>;

function steerAccounts(state: State): AccountControl {
  const getKey = (text: string) => {
    const key = state.keys.get(text);
    if (key === undefined) {
      throw new Error('The simulator does not know this key.');
    }
    return key;
  };
  return {
    setCredits: (text, usd) => {
      const { account } = getKey(text);
      account.creditsPurchased = account.creditsUsed.plus(usd);
      account.hasEverPurchased = true;
    },
    setCreditsReadable: (text, mayRead) => {
      getKey(text).mayReadCredits = mayRead;
    },
    setLimitRemaining: (text, usd) => {
      const key = getKey(text);
      key.limitReset = null;
      key.limit = usd === null ? null : spentIn(key, 'ever', state.clock.now()).plus(usd);
    },
    disableKey: (text, isDisabled = true) => {
      getKey(text).isDisabled = isDisabled;
    },
    getBalance: (text) => {
      const key = getKey(text);
      const { creditsPurchased, creditsUsed, reserved } = key.account;
      return {
        creditsUsd: creditsPurchased.minus(creditsUsed).toFixed(),
        keyUsageUsd: new Big(spentIn(key, 'ever', state.clock.now())).toFixed(),
        reservedUsd: reserved.toFixed(),
      };
    },
    setAccount: (text, settings) => {
      Object.assign(getKey(text).account, settings);
    },
  };
}
