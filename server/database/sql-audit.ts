import type { Audit, AuditEntry, Change } from '../audit/audit.ts';
import { readAuditHead, writeAuditEntry } from './audit-entry.ts';
import type { Connection } from './connection.ts';

/** The audit log in SQLite, whose triggers prevent changing and deleting entries. */
export function createSqlAudit(db: Connection, now: () => Date): Audit {
  const { prepare, transact } = db;

  return {
    // What has happened is recorded, whoever did it.
    record: (changes, by) =>
      transact(() => {
        for (const change of changes) writeAuditEntry(prepare, change, by, now());
      }),
    async list({ since, subject, after = 0, limit }) {
      // NOCASE is ASCII only, like ids (spec nuget-v2 12.5).
      const about = subject === undefined ? '' : 'AND subject = ? COLLATE NOCASE';
      const sql = `SELECT * FROM audit WHERE number > ? AND at >= ? ${about} ORDER BY number LIMIT ?`;
      const wanted = [after, since?.getTime() ?? 0, ...(subject === undefined ? [] : [subject]), limit];
      const rows = prepare(sql).all(...wanted);
      return (rows as RawEntry[]).map(toEntry);
    },
    async head() {
      return readAuditHead(prepare);
    },
  };
}

type RawEntry = {
  number: number;
  at: number;
  kind: Change['kind'];
  subject: string;
  version: string | null;
  file: string | null;
  digest: string | null;
  detail: string | null;
  key_id: string;
  key_name: string;
  from_address: string;
  previous: string;
  hash: string;
};

function toEntry(raw: RawEntry): AuditEntry {
  const { number, kind, subject, version, file, digest, detail, previous, hash } = raw;
  return {
    number,
    at: new Date(raw.at),
    change: {
      kind,
      subject,
      ...(version === null ? {} : { version }),
      ...(file === null ? {} : { file }),
      ...(digest === null ? {} : { digest }),
      ...(detail === null ? {} : { detail }),
    },
    by: { keyId: raw.key_id, keyName: raw.key_name, from: raw.from_address },
    previous,
    hash,
  };
}
