import type { Actor } from '../../audit/audit.ts';
import type { Connection } from '../../database/connection.ts';
import type { Transaction } from '../../database/transact.ts';
import type { NewPayload, Payload, Payloads } from '../payloads.ts';
import { useClaim } from './blob-claims.ts';
import { isPurged, queueRemoval } from './purge.ts';
import { packageKey } from './rows.ts';

/** Payloads in SQLite. */
export function createSqlPayloads(db: Connection): Payloads {
  const { prepare, transact } = db;

  function insert(payload: NewPayload, by: Actor, { record }: Transaction) {
    const { tool, version, file, sha256, sizeBytes, created, claim } = payload;
    const key = packageKey(tool, version);
    if (key !== undefined && isPurged(prepare, key)) {
      queueRemoval(prepare, sha256);
      return 'purged';
    }
    const sql = `INSERT INTO payloads (tool, version, file, sha256, size_bytes, created)
      VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;
    const { changes } = prepare(sql).run(tool, version, file, sha256, sizeBytes, created.getTime());
    if (changes === 0) return find(tool, version, file)?.sha256 === sha256 ? 'same' : 'differs';
    useClaim(prepare, claim);
    record({ kind: 'payload added', subject: tool, version, file, digest: sha256 }, by, created);
    return 'added';
  }

  function find(tool: string, version: string, file: string): Payload | undefined {
    const sql = 'SELECT * FROM payloads WHERE tool = ? AND version = ? AND file = ?';
    const raw = prepare(sql).get(tool, version, file) as RawPayload | undefined;
    return raw && toPayload(raw);
  }

  return {
    add: (payload, by) => transact((transaction) => insert(payload, by, transaction)),
    async find(tool, version, file) {
      return find(tool, version, file);
    },
    async list(tool, version) {
      const sql = 'SELECT * FROM payloads WHERE tool = ? AND version = ? ORDER BY file';
      return (prepare(sql).all(tool, version) as RawPayload[]).map(toPayload);
    },
    async totalBytes() {
      const row = prepare('SELECT coalesce(sum(size_bytes), 0) AS bytes FROM payloads').get();
      return (row as { bytes: number }).bytes;
    },
  };
}

type RawPayload = Omit<Payload, 'sizeBytes' | 'created'> & { size_bytes: number; created: number };

function toPayload({ size_bytes, created, ...rest }: RawPayload): Payload {
  return { ...rest, sizeBytes: size_bytes, created: new Date(created) };
}
