import { createHash } from 'node:crypto';
import type { AuditEntry } from './audit.ts';

/** The `previous` hash of the first entry. */
export const noHash = '0'.repeat(64);

/**
 * SHA-256 over one JSON object with the fields in this order, including the hash of the entry before, and `null` for what is
 * absent. Changing the order or the form of a field would break every existing chain.
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
