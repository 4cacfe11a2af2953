/** An answer that is not a success, in OpenRouter's error form. */
export interface Refusal {
  status: number;
  error: {
    message: string;
    /** Left out by the form of the routing documents, which has `error_type` and `http_status` instead. */
    code?: number;
    metadata?: Record<string, unknown>;
    availability?: Record<string, unknown>;
    [name: string]: unknown;
  };
  headers?: Record<string, string>;
}

export function refuse(status: number, message: string, metadata?: Record<string, unknown>): Refusal {
  return { status, error: { message, code: status, ...(metadata ? { metadata } : {}) } };
}

export function withHeaders(refusal: Refusal, headers: Record<string, string>): Refusal {
  return { ...refusal, headers };
}

export function withAvailability(refusal: Refusal, availability: Record<string, unknown>): Refusal {
  return { ...refusal, error: { ...refusal.error, availability } };
}

export function isRefusal(value: object): value is Refusal {
  return 'error' in value && 'status' in value;
}
