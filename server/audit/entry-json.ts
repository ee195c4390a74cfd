import * as z from 'zod';
import type { AuditEntry, Change } from './audit.ts';

/** An entry as programs read it, in GET /api/v1/audit and `feed:audit list --json`. Times are ISO 8601. */
export const AuditEntryJson = z.object({
  number: z.int().describe('1, 2, 3 ... without gaps.'),
  at: z.iso.datetime(),
  kind: z.string(),
  subject: z.string().describe('Package id, tool, key id or git ref.'),
  version: z.string().optional(),
  file: z.string().optional(),
  digest: z.string().optional().describe('SHA-256 of the bytes; OLD->NEW object ids for a git ref.'),
  detail: z.string().optional(),
  keyId: z.string(),
  keyName: z.string(),
  from: z.string().describe('Address of the client.'),
  previous: z.string().describe('Hash of the entry before this one.'),
  hash: z.string().describe('SHA-256 over all of the rest.'),
});
export type AuditEntryJson = z.infer<typeof AuditEntryJson>;

export function toEntryJson({ number, at, change, by, previous, hash }: AuditEntry): AuditEntryJson {
  return { number, at: at.toISOString(), ...change, ...by, previous, hash };
}

export function fromEntryJson(json: AuditEntryJson): AuditEntry {
  const { number, at, keyId, keyName, from, previous, hash, kind, ...rest } = json;
  // An unknown kind is not an error here: checking the audit log reports it.
  const change = { kind: kind as Change['kind'], ...rest };
  return { number, at: new Date(at), change, by: { keyId, keyName, from }, previous, hash };
}
