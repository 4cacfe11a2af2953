import { findFault, faults } from './faults.ts';
import type { Fault } from './fault.ts';

export type FaultRoute = 'chat' | 'media' | 'job' | 'key' | 'credits' | 'models' | 'generation';

/** Where and how often a fault strikes; what is left out matches everything. */
export interface FaultScope {
  /** 1 unless told. */
  times?: number;
  /** Content events before a stream goes wrong; 2 unless told. */
  after?: number;
  /** The chat route unless told. */
  route?: FaultRoute;
  model?: string;
  /** The text of an API key. */
  key?: string;
}

export interface ChosenFault {
  fault: Fault;
  name: string;
  after: number;
}

interface Asked {
  route: FaultRoute;
  model?: string | undefined;
  key?: string | undefined;
  header?: string | undefined;
}

export interface FaultPlan {
  fail(name: string, scope?: FaultScope): void;
  /** The fault that strikes this request, if any; uses up one of its times. */
  take(asked: Asked): ChosenFault | null;
  clear(): void;
}

const SLUG_PREFIX = 'sim/';
const DEFAULT_AFTER = 2;

export function openFaultPlan(): FaultPlan {
  let planned: (FaultScope & { name: string; left: number })[] = [];
  return {
    fail: (name, scope = {}) => {
      if (findFault(name) === null) {
        throw new Error(`No fault is called "${name}". Known: ${Object.keys(faults).join(', ')}.`);
      }
      planned.push({ ...scope, name, left: scope.times ?? 1 });
    },
    take: (asked) => {
      const wished = fromHeader(asked.header) ?? fromSlug(asked.model);
      if (wished !== null) {
        return wished;
      }
      const hit = planned.find((plan) => matches(plan, asked));
      if (hit === undefined) {
        return null;
      }
      hit.left -= 1;
      planned = planned.filter((plan) => plan.left > 0);
      return choose(hit.name, hit.after);
    },
    clear: () => {
      planned = [];
    },
  };
}

/** `x-sim-fault: <name>[;after=<n>]` */
function fromHeader(header: string | undefined): ChosenFault | null {
  const [name = '', ...options] = (header ?? '').split(';').map((part) => part.trim());
  const after = options.map((option) => /^after=(\d{1,4})$/.exec(option)?.[1]).find((value) => value !== undefined);
  return choose(name, after === undefined ? undefined : Number(after));
}

function fromSlug(model: string | undefined): ChosenFault | null {
  return model?.startsWith(SLUG_PREFIX) ? choose(model.slice(SLUG_PREFIX.length), undefined) : null;
}

function choose(name: string, after: number | undefined): ChosenFault | null {
  const fault = findFault(name);
  return fault === null ? null : { fault, name, after: after ?? DEFAULT_AFTER };
}

function matches(plan: FaultScope, asked: Asked): boolean {
  return (
    (plan.route ?? 'chat') === asked.route &&
    (plan.model === undefined || plan.model === asked.model) &&
    (plan.key === undefined || plan.key === asked.key)
  );
}
