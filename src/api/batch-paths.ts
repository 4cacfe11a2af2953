import { batchOutput } from '#gateway/index.ts';
import { callInput, paidSecurity, place, salesHeaders, toPaidResponses } from './paid-paths.ts';

type JsonObject = Record<string, unknown>;

interface Called {
  operationId: string;
  summary: string;
  /** JSON Schema of one input. */
  input: JsonObject;
  maxInputs: number;
  /** Of the path. */
  parameters?: readonly JsonObject[];
}

/** Many inputs in one call, as an OpenAPI path item. */
export function toBatchPath({ operationId, summary, input, maxInputs, parameters = [] }: Called): JsonObject {
  const inputs = { type: 'array', minItems: 1, maxItems: maxInputs, items: input };
  const body = { type: 'object', required: ['inputs'], properties: { inputs }, additionalProperties: false };
  const post = {
    operationId,
    tags: ['call'],
    summary,
    description: 'Paid with what the inputs cost together, before they run; answered with 202 first.',
    security: paidSecurity,
    parameters: [...parameters, ...salesHeaders],
    requestBody: { required: true, content: { 'application/json': { schema: body } } },
    responses: toPaidResponses({ schema: toResult() }),
  };
  return { post };
}

function toResult(): JsonObject {
  const { outputSchema } = batchOutput;
  const receipt = { receipt: { $ref: '#/components/schemas/Receipt' } };
  const properties = { ...(outputSchema['properties'] as JsonObject), ...receipt };
  return { ...outputSchema, properties, required: [...(outputSchema['required'] as string[]), 'receipt'] };
}

export const batchPaths: Record<string, JsonObject> = {
  '/@{creator}/{slug}/batch': toBatchPath({
    operationId: 'resource.call_batch',
    summary: 'Call a resource with many inputs at once, where it allows that.',
    input: callInput,
    maxInputs: 1_000,
    parameters: place,
  }),
};
