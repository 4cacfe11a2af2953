import { openByteBudget, toNetwork, type FieldProblem, type Log } from '#kit/index.ts';
import type { Media } from '#media/index.ts';
import { isMedia, toMediaCaps, type MediaParameter, type PublishedVersion } from '#resources/index.ts';
import { findUrlFault } from '#upstreams/index.ts';
import { checkFile } from './check-file.ts';
import type { KeptFile, UnusableFile } from './kept-file.ts';
import { isUrl, readGiven, readSent, type GivenDeps } from './read-given.ts';

type Input = Record<string, unknown>;
type Parameters = Pick<PublishedVersion, 'parameters'>;

interface FilesToCheck extends Parameters {
  clientAddress: string;
  input: Input;
}

export interface FilesToKeep extends FilesToCheck {
  callId: string;
}

/** `busy`: too many files are being read at the moment. */
export type KeptFiles = { ok: true; input: Input } | { ok: false; fields: FieldProblem[] } | { ok: false; busy: true };

/** The files among a call's input (docs/decisions/0034). */
export interface InputMedia {
  /** Before any money: what was sent or uploaded is looked at whole, of a URL only whether it may be fetched. */
  check(asked: FilesToCheck): Promise<FieldProblem[] | 'busy'>;
  /**
   * Reads and checks all of them, fetches included, and keeps them for the runs of the call: the input tells where. Ends
   * within 15 seconds, storing aside. Calls that nobody pays for take up nothing that paid calls need.
   */
  keep(asked: FilesToKeep & { isFree?: boolean }): Promise<KeptFiles>;
  /**
   * For a call that is paid already: what cannot be fetched now stays as it was sent, for the next run; what was sent and
   * can never be used is replaced by the reason. `sent`: nothing is fetched yet.
   */
  keepReachable(asked: FilesToKeep, which: 'sent' | 'all'): Promise<Input>;
  /** The call needs them no more. Never rejects: what is left is removed when its time is over. */
  forget(callId: string): Promise<void>;
}

interface InputMediaDeps extends GivenDeps {
  media: Pick<Media, 'readUpload' | 'keepInput' | 'forgetInputs'>;
  log: Pick<Log, 'warn'>;
}

/** In this process at a time: files of calls that are not paid yet, which are being fetched, checked and stored. */
const MAX_BYTES = {
  checked: { total: 128_000_000, perClient: 80_000_000 },
  kept: { total: 256_000_000, perClient: 80_000_000 },
  free: { total: 128_000_000, perClient: 40_000_000 },
};

/** How long a file waits to be measured, from when the files of its call were asked for; a fetch takes up to ten seconds. */
const TURN_WITHIN_MS = { check: 5_000, keep: 12_000, paid: 30_000 };

interface Given {
  parameter: MediaParameter;
  text: string;
}

/** Text says why it cannot be used. */
type Kept = KeptFile | string | { busy: true };

export function openInputMedia(deps: InputMediaDeps): InputMedia {
  const budgets = {
    checked: openByteBudget(MAX_BYTES.checked),
    kept: openByteBudget(MAX_BYTES.kept),
    free: openByteBudget(MAX_BYTES.free),
  };
  const keepAll = (callId: string, given: readonly Given[], whose: Whose) =>
    Promise.all(given.map(async (one) => ({ ...one, kept: await keepOne(deps, callId, { ...one, whose }) })));
  return {
    check: async (asked) => {
      const given = listGiven(asked);
      const whose = toWhose(asked, TURN_WITHIN_MS.check);
      const held = budgets.checked.take(whose.client, countBytes(given.filter(({ text }) => !isUrl(text))));
      if (held === null) {
        return 'busy';
      }
      const found = await Promise.all(given.map((one) => findFault(deps, one, whose))).finally(() => held.give());
      return found.includes('busy') ? 'busy' : found.flatMap((one) => (one === 'busy' ? [] : one));
    },
    keep: async ({ callId, isFree = false, ...asked }) => {
      const given = listGiven(asked);
      const whose = toWhose(asked, TURN_WITHIN_MS.keep);
      const held = budgets[isFree ? 'free' : 'kept'].take(whose.client, countBytes(given));
      if (held === null) {
        return { ok: false, busy: true };
      }
      const files = await keepAll(callId, given, whose).finally(() => held.give());
      const fields = files.flatMap(({ parameter, kept }) =>
        typeof kept === 'string' ? [toFieldProblem(parameter, kept)] : [],
      );
      if (fields.length > 0) {
        return { ok: false, fields };
      }
      return files.some(({ kept }) => isBusy(kept))
        ? { ok: false, busy: true }
        : { ok: true, input: withFiles(asked.input, files) };
    },
    keepReachable: async ({ callId, ...asked }, which) => {
      const given = listGiven(asked).filter(({ text }) => which === 'all' || !isUrl(text));
      const files = await keepAll(callId, given, toWhose(asked, TURN_WITHIN_MS.paid));
      const unusable = files.flatMap(({ parameter, text, kept }): [string, UnusableFile][] =>
        typeof kept === 'string' && !isUrl(text) ? [[parameter.name, { unusable: kept }]] : [],
      );
      return { ...withFiles(asked.input, files), ...Object.fromEntries(unusable) };
    },
    forget: async (callId) => {
      await deps.media.forgetInputs(callId).catch((err: unknown) => {
        deps.log.warn({ err, callId }, 'the files of a call could not be removed');
      });
    },
  };
}

async function keepOne(
  deps: InputMediaDeps,
  callId: string,
  { parameter, text, whose }: Given & { whose: Whose },
): Promise<Kept> {
  const given = await readGiven(deps, parameter, text);
  if (!given.ok) {
    return given.reason;
  }
  const checked = await checkFile(parameter, { ...whose, bytes: given.bytes });
  if (checked === 'busy') {
    return { busy: true };
  }
  if (!checked.ok) {
    return checked.reason;
  }
  const { kind, contentType } = checked.file;
  return { kind, ...(await deps.media.keepInput({ callId, contentType, bytes: given.bytes })) };
}

/** Those that are text still. */
function listGiven({ parameters, input }: Parameters & { input: Input }): Given[] {
  return parameters.filter(isMedia).flatMap((parameter) => {
    const text = input[parameter.name];
    return typeof text === 'string' ? [{ parameter, text }] : [];
  });
}

interface Whose {
  client: string;
  untilMs: number;
}

function toWhose({ clientAddress }: FilesToCheck, withinMs: number): Whose {
  return { client: toNetwork(clientAddress), untilMs: performance.now() + withinMs };
}

/** What came with the request is there already; of the rest only the most is known. */
function countBytes(given: readonly Given[]): number {
  const sizes = given.map(({ parameter, text }) => {
    const { maxBytes } = toMediaCaps(parameter);
    return text.startsWith('data:') ? Math.min(maxBytes, text.length) : maxBytes;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function findFault(deps: GivenDeps, { parameter, text }: Given, whose: Whose): Promise<FieldProblem[] | 'busy'> {
  const toFields = (reason: string | null) => (reason === null ? [] : [toFieldProblem(parameter, reason)]);
  if (isUrl(text)) {
    const fault = findUrlFault(deps.outbound, text);
    return toFields(fault && `cannot be fetched: its address is not allowed. ${fault}`);
  }
  const sent = await readSent(deps, parameter, text);
  if (!sent.ok) {
    return toFields(sent.reason);
  }
  const checked = await checkFile(parameter, { ...whose, bytes: sent.bytes });
  return checked === 'busy' ? checked : toFields(checked.ok ? null : checked.reason);
}

function toFieldProblem({ name }: MediaParameter, reason: string): FieldProblem {
  return { path: `/${name}`, message: `\`${name}\` ${reason.replace(/\.$/, '')}.` };
}

function isBusy(kept: Kept): kept is { busy: true } {
  return typeof kept === 'object' && 'busy' in kept;
}

function withFiles(input: Input, files: readonly (Given & { kept: Kept })[]): Input {
  const kept = files.filter(({ kept: file }) => typeof file !== 'string' && !isBusy(file));
  return { ...input, ...Object.fromEntries(kept.map(({ parameter, kept: file }) => [parameter.name, file])) };
}
