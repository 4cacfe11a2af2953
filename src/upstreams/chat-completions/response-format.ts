import type { ResponseFormat } from './chat.ts';

/** `response_format` as all upstreams write it that know one. */
export function toWireFormat(format: ResponseFormat | undefined): Record<string, unknown> | undefined {
  if (format?.type !== 'json_schema') {
    return format && { type: format.type };
  }
  const { name, isStrict, schema } = format;
  return { type: 'json_schema', json_schema: { name, strict: isStrict, schema } };
}
