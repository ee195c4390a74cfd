import type { Prepare } from '../database/statements.ts';
import type { Actor, AuditHead, Change } from './audit.ts';
import { hashOf, noHash } from './chain.ts';

/** Writes an entry behind the last one; to be called inside of the transaction that makes the change. */
export type RecordChange = (change: Change, by: Actor, at: Date) => void;

const insert = `INSERT INTO audit
  (number, at, kind, subject, version, file, digest, detail, key_id, key_name, from_address, previous, hash)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export function createRecordChange(prepare: Prepare): RecordChange {
  return (change, by, at) => {
    const head = readHead(prepare);
    const entry = { number: head.number + 1, at, change, by, previous: head.hash };
    const { kind, subject, version = null, file = null, digest = null, detail = null } = change;
    const what = [kind, subject, version, file, digest, detail];
    const who = [by.keyId, by.keyName, by.from];
    prepare(insert).run(entry.number, at.getTime(), ...what, ...who, entry.previous, hashOf(entry));
  };
}

export function readHead(prepare: Prepare): AuditHead {
  const row = prepare('SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1').get();
  return (row as AuditHead | undefined) ?? { number: 0, hash: noHash };
}
