import { isObject, Problem } from '#kit/index.ts';
import type { Callable, CallRequest, Gateway } from '#gateway/index.ts';
import { refuse, toContract, type Contract } from './asked.ts';
import { fillInput } from './fill-input.ts';
import type { Form } from './form.ts';
import { MODEL_ID_FORM, parseModelId, unknownModel, type NamedModel } from './model-id.ts';

/** A request as the paid call takes it, and what is to be known of it when it is answered. */
export interface Read {
  target: NamedModel;
  ownerId: string;
  input: CallRequest['input'];
  ignored: readonly string[];
  isStream: boolean;
  /** The answer is JSON by a schema, and not what its model wrote on the way to it. */
  isJudged: boolean;
  includesUsage: boolean;
}

interface Body {
  sizeBytes: number;
  input: CallRequest['input'];
}

/** Finds the resource and puts the request into its parameters. Trouble with that is returned as input; other trouble is thrown. */
export async function readAsked(
  gateway: Pick<Gateway, 'getCallable' | 'findBodyLimit'>,
  { sizeBytes, input }: Body,
  form: Form,
): Promise<Read> {
  if (!input.ok) {
    throw input.problem;
  }
  const body = input.value;
  if (!isObject(body)) {
    throw refuse('', 'The body is a JSON object.');
  }
  const target = readModel(body['model']);
  const callable = await gateway.getCallable(target).catch(toUnknownModel);
  const misfit = findMisfit(callable, sizeBytes, await gateway.findBodyLimit(target));
  const options = body['stream_options'];
  return {
    target,
    ownerId: callable.version.ownerId,
    isStream: readStream(body['stream']),
    isJudged: callable.promisesJson,
    includesUsage: isObject(options) && options['include_usage'] === true,
    ...(misfit ? { input: { ok: false, problem: misfit }, ignored: [] } : translate(body, toContract(callable), form)),
  };
}

/** What the newest version does not take, another one may have taken and been paid for. */
function findMisfit({ version }: Callable, sizeBytes: number, limitBytes: number): Problem | null {
  if (version.runsLong) {
    return refuse(
      '/model',
      'This resource is answered later, which clients of OpenAI do not know: call it at its own URL.',
    );
  }
  return sizeBytes > limitBytes
    ? new Problem('too_large', { detail: `The body is larger than ${limitBytes / 1024} KiB.` })
    : null;
}

function readStream(stream: unknown): boolean {
  if (typeof (stream ?? false) !== 'boolean') {
    throw refuse('/stream', '"stream" is true or false.');
  }
  return stream === true;
}

function readModel(model: unknown): NamedModel {
  const target = typeof model === 'string' ? parseModelId(model) : null;
  if (!target) {
    throw refuse('/model', MODEL_ID_FORM);
  }
  return target;
}

function toUnknownModel(error: unknown): never {
  if (error instanceof Problem && error.code === 'not_found') {
    throw unknownModel();
  }
  throw error;
}

function translate(
  body: Readonly<Record<string, unknown>>,
  contract: Contract,
  form: Form,
): Pick<Read, 'input' | 'ignored'> {
  try {
    const asked = form.read(body, contract);
    // Metadata holds texts only: they are read as what their parameters are.
    return { input: { ok: true, value: fillInput(asked, contract), isText: true }, ignored: asked.ignored };
  } catch (error) {
    if (error instanceof Problem) {
      return { input: { ok: false, problem: error }, ignored: [] };
    }
    throw error;
  }
}
