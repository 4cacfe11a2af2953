import { findFault, faults } from './faults.ts';
import type { Fault } from './fault.ts';
import { openRandom } from './seeded-random.ts';

export const faultRoutes = ['chat', 'media', 'job', 'key', 'credits', 'models', 'generation', 'keys'] as const;
export type FaultRoute = (typeof faultRoutes)[number];

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
  /** 0 to 1: which share of the matching requests; the same ones in each run. */
  probability?: number;
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
  list(): readonly PlannedFault[];
  clear(): void;
}

export interface PlannedFault extends FaultScope {
  name: string;
  left: number;
}

const SLUG_PREFIX = 'sim/';
const DEFAULT_AFTER = 2;

export function openFaultPlan(seed: string): FaultPlan {
  let planned: PlannedFault[] = [];
  /** How often a header that says `times=` struck, by key and header. */
  const struck = new Map<string, number>();
  let asks = 0;
  return {
    fail: (name, scope = {}) => {
      if (findFault(name) === null) {
        throw new Error(`No fault is called "${name}". Known: ${Object.keys(faults).join(', ')}.`);
      }
      planned.push({ ...scope, name, left: scope.times ?? 1 });
    },
    take: (asked) => {
      const wished = fromHeader(asked, struck) ?? fromSlug(asked.model);
      if (wished !== null) {
        return wished;
      }
      asks += 1;
      const chance = openRandom(seed, 'fault', String(asks)).integer(1, 1_000) / 1_000;
      const hit = planned.find((plan) => matches(plan, asked) && chance <= (plan.probability ?? 1));
      if (hit === undefined) {
        return null;
      }
      hit.left -= 1;
      planned = planned.filter((plan) => plan.left > 0);
      return choose(hit.name, hit.after);
    },
    list: () => planned,
    clear: () => {
      planned = [];
      struck.clear();
      asks = 0;
    },
  };
}

/** `x-sim-fault: <name>[;after=<n>][;times=<k>]`; `times` counts per key and header. */
function fromHeader({ header = '', key = '' }: Asked, struck: Map<string, number>): ChosenFault | null {
  const [name = '', ...options] = header.split(';').map((part) => part.trim());
  const times = readOption(options, 'times');
  if (times !== null) {
    const counted = `${key} ${header.slice(0, 100)}`;
    const used = struck.get(counted) ?? 0;
    if (used >= times) {
      return null;
    }
    struck.set(counted, used + 1);
  }
  return choose(name, readOption(options, 'after') ?? undefined);
}

function readOption(options: readonly string[], name: string): number | null {
  const text = options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  return /^\d{1,4}$/.test(text) ? Number(text) : null;
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
