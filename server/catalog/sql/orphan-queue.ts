import { setImmediate } from 'node:timers/promises';
import type { OrphanQueue } from '../../blobs/orphan-queue.ts';
import type { Connection } from '../../database/connection.ts';
import { type BlobName, blobNames } from './blob-names.ts';
import { createNumberSet, type NumberSet } from './number-set.ts';
import { queueRemoval } from './purge.ts';
import { forgetOldRemovals, forgetOrphan } from './shared-purge-queue.ts';

/** Rows that are read before others get a turn. */
const pageRows = 5000;

/** 48 bits of each hash: a number takes a fraction of the memory of a text, and two that are equal only keep a blob. */
function shortOf(sha256: string): number {
  return Number.parseInt(sha256.slice(0, 12), 16);
}

export function createSqlOrphanQueue({ prepare, transact }: Connection, now: () => Date): OrphanQueue {
  /** Of a table with an integer key in pages, since it may be long. */
  async function addNames(names: NumberSet, { table, column, key }: BlobName): Promise<void> {
    if (key === undefined) {
      const all = prepare(`SELECT ${column} FROM ${table}`).pluck().all() as string[];
      names.reserve(all.length);
      for (const sha256 of all) names.add(shortOf(sha256));
      return;
    }
    names.reserve(Number(prepare(`SELECT max(${key}) FROM ${table}`).pluck().get()));
    const page = prepare(`SELECT ${key} AS last, ${column} AS sha256 FROM ${table}
      WHERE ${key} > ? AND ${column} IS NOT NULL ORDER BY ${key} LIMIT ${pageRows}`);
    for (let last = -1; ; await setImmediate()) {
      const rows = page.all(last) as { last: number; sha256: string }[];
      for (const { sha256 } of rows) names.add(shortOf(sha256));
      if (rows.length < pageRows) return;
      last = rows.at(-1)?.last ?? last;
    }
  }

  return {
    async names() {
      const names = createNumberSet();
      for (const name of blobNames) await addNames(names, name);
      return (sha256) => names.has(shortOf(sha256));
    },
    async known() {
      const rows = prepare('SELECT sha256, since FROM blob_orphans').all() as {
        sha256: string;
        since: number;
      }[];
      return new Map(rows.map(({ sha256, since }) => [sha256, new Date(since)]));
    },
    note: ({ fresh, gone, due }) =>
      transact(() => {
        const insert = 'INSERT INTO blob_orphans (sha256, since) VALUES (?, ?) ON CONFLICT DO NOTHING';
        for (const sha256 of fresh) prepare(insert).run(sha256, now().getTime());
        for (const sha256 of gone) forgetOrphan(prepare, sha256);
        for (const sha256 of due) {
          // Whoever has claimed the bytes since then has taken the row away: they are no orphan any more.
          if (forgetOrphan(prepare, sha256)) queueRemoval(prepare, sha256);
        }
        forgetOldRemovals(prepare, now());
      }),
  };
}
