import { z } from 'zod';

export interface ApiKeyRow {
  id: string;
  label: string;
  scopes: string[];
  prefix: string;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
  created_at: Date;
}

/** What the owner may see of a key after its creation. */
export const apiKeyView = z.object({
  id: z.string(),
  label: z.string(),
  scopes: z.array(z.string()),
  prefix: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  createdAt: z.string(),
});

export function toApiKeyView(row: ApiKeyRow): z.input<typeof apiKeyView> {
  return {
    id: row.id,
    label: row.label,
    scopes: row.scopes,
    prefix: row.prefix,
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  };
}
