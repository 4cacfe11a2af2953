import { openByteBudget, toNetwork, type FieldProblem, type Log } from '#kit/index.ts';
import type { Media } from '#media/index.ts';
import { isMedia, toMediaCaps, type MediaParameter, type PublishedVersion } from '#resources/index.ts';
import { checkFile } from './check-file.ts';
import type { KeptFile } from './kept-file.ts';
import { checkFetchable, isUrl, readGiven, readSent, type GivenDeps } from './read-given.ts';

type Input = Record<string, unknown>;
type Parameters = Pick<PublishedVersion, 'parameters'>;

export interface FilesToKeep extends Parameters {
  callId: string;
  clientAddress: string;
  input: Input;
}

/** `busy`: too many files are being read at the moment. */
export type KeptFiles = { ok: true; input: Input } | { ok: false; fields: FieldProblem[] } | { ok: false; busy: true };

/** The files among a call's input (docs/decisions/0034). */
export interface InputMedia {
  /** Before any money: what was sent or uploaded is looked at whole, of a URL only whether it may be fetched. */
  check(asked: Parameters & { input: Input }): Promise<FieldProblem[]>;
  /** Reads and checks all of them, fetches included, and keeps them for the runs of the call: the input tells where. */
  keep(asked: FilesToKeep): Promise<KeptFiles>;
  /**
   * For a call that is paid already: what cannot be had now stays as it was sent, for the next run. `sent`: nothing is
   * fetched yet.
   */
  keepReachable(asked: FilesToKeep, which: 'sent' | 'all'): Promise<Input>;
  /** The call needs them no more. Never rejects: what is left is removed when its time is over. */
  forget(callId: string): Promise<void>;
}

interface InputMediaDeps extends GivenDeps {
  media: Pick<Media, 'readUpload' | 'keepInput' | 'forgetInputs'>;
  log: Pick<Log, 'warn'>;
}

/** In this process at a time, of calls that are not paid yet: files that are being fetched, checked and stored. */
const MAX_BYTES = { total: 256_000_000, perClient: 80_000_000 };

interface Given {
  parameter: MediaParameter;
  text: string;
}

export function openInputMedia(deps: InputMediaDeps): InputMedia {
  const budget = openByteBudget(MAX_BYTES);
  const keepOne = async (callId: string, { parameter, text }: Given): Promise<KeptFile | string> => {
    const given = await readGiven(deps, parameter, text);
    const checked = given.ok ? await checkFile(parameter, given.bytes) : given;
    if (!checked.ok || !given.ok) {
      return checked.ok ? '' : checked.reason;
    }
    const { kind, contentType } = checked.file;
    return { kind, ...(await deps.media.keepInput({ callId, contentType, bytes: given.bytes })) };
  };
  const keepAll = (callId: string, given: readonly Given[]) =>
    Promise.all(given.map(async (one) => ({ ...one, kept: await keepOne(callId, one) })));
  return {
    check: async (asked) => {
      const found = await Promise.all(
        listGiven(asked).map(async ({ parameter, text }) => {
          const reason = await findFault(deps, parameter, text);
          return reason === null ? [] : [toFieldProblem(parameter, reason)];
        }),
      );
      return found.flat();
    },
    keep: async ({ callId, clientAddress, ...asked }) => {
      const given = listGiven(asked);
      const bytes = given.reduce((sum, { parameter }) => sum + toMediaCaps(parameter).maxBytes, 0);
      const held = budget.take(toNetwork(clientAddress), bytes);
      if (held === null) {
        return { ok: false, busy: true };
      }
      const files = await keepAll(callId, given).finally(() => held.give());
      const fields = files.flatMap(({ parameter, kept }) =>
        typeof kept === 'string' ? [toFieldProblem(parameter, kept)] : [],
      );
      return fields.length > 0 ? { ok: false, fields } : { ok: true, input: withFiles(asked.input, files) };
    },
    keepReachable: async ({ callId, ...asked }, which) => {
      const given = listGiven(asked).filter(({ text }) => which === 'all' || !isUrl(text));
      return withFiles(asked.input, await keepAll(callId, given));
    },
    forget: async (callId) => {
      await deps.media.forgetInputs(callId).catch((err: unknown) => {
        deps.log.warn({ err, callId }, 'the files of a call could not be removed');
      });
    },
  };
}

/** Those that are text still. */
function listGiven({ parameters, input }: Parameters & { input: Input }): Given[] {
  return parameters.filter(isMedia).flatMap((parameter) => {
    const text = input[parameter.name];
    return typeof text === 'string' ? [{ parameter, text }] : [];
  });
}

async function findFault(deps: GivenDeps, parameter: MediaParameter, text: string): Promise<string | null> {
  if (isUrl(text)) {
    return checkFetchable(deps, text);
  }
  const sent = await readSent(deps, parameter, text);
  const checked = sent.ok ? await checkFile(parameter, sent.bytes) : sent;
  return checked.ok ? null : checked.reason;
}

function toFieldProblem({ name }: MediaParameter, reason: string): FieldProblem {
  return { path: `/${name}`, message: `\`${name}\` ${reason.replace(/\.$/, '')}.` };
}

function withFiles(input: Input, files: readonly (Given & { kept: KeptFile | string })[]): Input {
  const kept = files.filter(({ kept: file }) => typeof file !== 'string');
  return { ...input, ...Object.fromEntries(kept.map(({ parameter, kept: file }) => [parameter.name, file])) };
}
