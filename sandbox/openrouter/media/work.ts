import type { Big } from 'big.js';
import type { CatalogueModel } from '../catalogue.ts';
import type { ApiKey } from '../api-key.ts';
import type { ChosenFault } from '../fault-plan.ts';
import type { JobEnd } from './job-end.ts';

/** One request for media whose sender and model are known. */
export interface Work {
  key: ApiKey;
  model: CatalogueModel;
  provider: string;
  /** Depends on nothing but seed, model and request. */
  seed: string;
  id: string;
  now: number;
  chosen: ChosenFault | null;
}

/** Work that goes on after its request was answered. */
export interface VideoJob {
  id: string;
  work: Work;
  seconds: number;
  cost: Big;
  end: JobEnd;
  callbackUrl: string | null;
  headers: Record<string, string>;
  isSettled: boolean;
}
