import type { Actor, AuditHead, Change } from '../audit/audit.ts';
import { hashOf, noHash } from '../audit/chain.ts';
import type { Prepare } from './statements.ts';

const insert = `INSERT INTO audit
  (number, at, kind, subject, version, file, digest, detail, key_id, key_name, from_address, previous, hash)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Appends an entry, in the transaction of the change that it records (decision 14). */
export function writeAuditEntry(prepare: Prepare, change: Change, by: Actor, at: Date): void {
  const head = readAuditHead(prepare);
  const entry = { number: head.number + 1, at, change, by, previous: head.hash };
  const { kind, subject, version = null, file = null, digest = null, detail = null } = change;
  const what = [kind, subject, version, file, digest, detail];
  const who = [by.keyId, by.keyName, by.from];
  prepare(insert).run(entry.number, at.getTime(), ...what, ...who, entry.previous, hashOf(entry));
}

export function readAuditHead(prepare: Prepare): AuditHead {
  const row = prepare('SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1').get();
  return (row as AuditHead | undefined) ?? { number: 0, hash: noHash };
}
