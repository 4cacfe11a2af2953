import type { CallRequest } from '#gateway/index.ts';
import { parseUuid, textOf, Problem, toPointer } from '#kit/index.ts';
import { inputNames } from './aliases.ts';

/** What `POST /api/execute` names: the resource by its id, one of its versions where one is named, and its input. Throws a Problem. */
export function readExecute(body: CallRequest['input']): Pick<CallRequest, 'target' | 'input'> {
  if (!body.ok) {
    throw body.problem;
  }
  const value = body.value as Record<string, unknown> | null;
  const resourceId = parseUuid(textOf(value?.['resourceId']));
  if (resourceId === null) {
    throw new Problem('invalid_input', {
      detail: 'Send {"resourceId": "<uuid>", "input": {…}}.',
      fields: [{ path: '/resourceId', message: 'must be the id of a resource' }],
    });
  }
  const version = value?.['version'];
  if (version !== undefined && !isVersion(version)) {
    throw new Problem('invalid_input', {
      detail: '"version" is the number of one of its versions; leave it out to call the newest.',
      fields: [{ path: '/version', message: 'must be a whole number from 1 on' }],
    });
  }
  const given = Object.keys(value ?? {}).filter((name) => name !== 'resourceId' && name !== 'version');
  const [name = 'input', second] = given.filter((one) => inputNames.some((known) => known === one));
  if (second !== undefined) {
    throw new Problem('invalid_input', {
      detail: '"body" is another name of "input": send one of the two.',
      fields: [{ path: toPointer([second]), message: 'is given beside its other name' }],
    });
  }
  const unknown = given.find((one) => one !== name);
  if (unknown !== undefined) {
    throw new Problem('invalid_input', {
      detail: 'Send {"resourceId": "<uuid>", "input": {…}} and nothing else: the parameters belong into "input".',
      fields: [{ path: toPointer([unknown]), message: 'is not a known field' }],
    });
  }
  const target = version === undefined ? { resourceId } : { resourceId, version };
  return { target, input: { ok: true, value: value?.[name] ?? {}, isText: false } };
}

function isVersion(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) < 1e9;
}
