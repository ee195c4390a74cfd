import { createHash } from 'node:crypto';
import type { AuditEntry } from './audit.ts';

/** What the first entry follows. */
export const noHash = '0'.repeat(64);

/**
 * SHA-256 over one JSON object with its fields in this order and `null` for what is absent, the hash of the entry before
 * among them. Changing the order or the form of a field would break every chain there is.
 */
export function hashOf({ number, at, change, by, previous }: Omit<AuditEntry, 'hash'>): string {
  const canonical = JSON.stringify({
    number,
    at: at.toISOString(),
    kind: change.kind,
    subject: change.subject,
    version: change.version ?? null,
    file: change.file ?? null,
    digest: change.digest ?? null,
    detail: change.detail ?? null,
    keyId: by.keyId,
    keyName: by.keyName,
    from: by.from,
    previous,
  });
  return createHash('sha256').update(canonical).digest('hex');
}
