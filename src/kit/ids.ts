import { v7 } from 'uuid';

/** Time-ordered UUID (RFC 9562, version 7): index-friendly and unguessable enough for names, never for secrets. */
export function newId(): string {
  return v7();
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** In the form in which ids are written here: small letters, with hyphens. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
