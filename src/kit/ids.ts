import { v7 } from 'uuid';

/** Time-ordered UUID (RFC 9562, version 7): index-friendly and unguessable enough for names, never for secrets. */
export function newId(): string {
  return v7();
}
