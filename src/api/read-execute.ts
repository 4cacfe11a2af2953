import { Problem, toPointer } from '#kit/index.ts';
import type { CallRequest } from '#gateway/index.ts';
import { inputNames } from './aliases.ts';

/** What `POST /api/execute` names: the resource by its id, and its input. Throws a Problem. */
export function readExecute(body: CallRequest['input']): Pick<CallRequest, 'target' | 'input'> {
  if (!body.ok) {
    throw body.problem;
  }
  const value = body.value as Record<string, unknown> | null;
  const resourceId = value?.['resourceId'];
  if (typeof resourceId !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(resourceId)) {
    throw new Problem('invalid_input', {
      detail: 'Send {"resourceId": "<uuid>", "input": {…}}.',
      fields: [{ path: '/resourceId', message: 'must be the id of a resource' }],
    });
  }
  const given = Object.keys(value ?? {}).filter((name) => name !== 'resourceId');
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
  return { target: { resourceId }, input: { ok: true, value: value?.[name] ?? {}, isText: false } };
}
