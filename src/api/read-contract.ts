import { anonymous, bind, callOperation, type OperationPorts, type Source } from '#kit/index.ts';
import { getResource, toInputExample, type ResourcesDeps } from '#resources/index.ts';
import type { ResourceContract } from './public-resource.ts';

/** Reads what clients of a resource need, by the operation that shows it to everybody. Throws `not_found` and `gone`. */
export function readContract(ports: OperationPorts, resources: ResourcesDeps) {
  const get = bind(getResource, resources);
  return async (id: string, source: Source): Promise<ResourceContract> => {
    const shown = await callOperation(ports, get, { caller: anonymous, input: { id }, source });
    if (shown.view !== 'public') {
      throw new Error('Nobody was shown what only an owner sees.');
    }
    return { ...shown, inputExample: toInputExample(shown.parameters) };
  };
}
