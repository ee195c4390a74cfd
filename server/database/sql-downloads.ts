import { normalizeVersion } from '../../formats/nuget-version.ts';
import type { Download, DownloadCount, Downloads, Recipient } from '../audit/downloads.ts';
import type { Connection } from './connection.ts';
import { createDeferredWrite } from './deferred-write.ts';

export type DownloadLimits = {
  /** The maximum number of rows. */
  readonly maxRows: number;
  /** The maximum number of rows waiting in memory for the next write, so that a flood of invented client names is limited. */
  readonly maxWaiting: number;
};
const defaults: DownloadLimits = { maxRows: 200_000, maxWaiting: 5_000 };

type Waiting = {
  readonly what: Download;
  readonly by: Recipient;
  count: number;
  first: number;
  last: number;
};

const upsert = `INSERT INTO downloads (id, version, file, key_name, from_address, client, count, first, last)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET count = count + excluded.count, last = max(last, excluded.last)`;

/** Downloads in SQLite. `flush` before closing the connection. */
export function createSqlDownloads(
  db: Connection,
  now: () => Date,
  limits: Partial<DownloadLimits> = {},
): Downloads {
  const { maxRows, maxWaiting } = { ...defaults, ...limits };
  const { prepare, writeStatistics } = db;

  function write(all: Iterable<Waiting>): void {
    for (const { what, by, count, first, last } of all) {
      const { keyName = '', from = '', client = '' } = by;
      prepare(upsert).run(what.id, what.version, what.file ?? '', keyName, from, client, count, first, last);
    }
    prepare(
      'DELETE FROM downloads WHERE last < (SELECT last FROM downloads ORDER BY last DESC LIMIT 1 OFFSET ?)',
    ).run(maxRows - 1);
  }

  const later = createDeferredWrite<Waiting>(
    (waiting) => writeStatistics(() => write(waiting.values())),
    (older, { count, last }) => {
      older.count += count;
      older.last = Math.max(older.last, last);
      return older;
    },
  );

  return {
    note(what, by) {
      const at = now().getTime();
      const name = JSON.stringify([what.id, what.version, what.file, by.keyName, by.from, by.client]);
      if (later.size() >= maxWaiting && later.get(name) === undefined) return;
      later.note(name, { what, by, count: 1, first: at, last: at });
    },
    async list(id, version) {
      await later.flush();
      const ofVersion = version === undefined ? '' : 'AND version = ?';
      const sql = `SELECT * FROM downloads WHERE id = ? ${ofVersion} ORDER BY last DESC, count DESC`;
      const wanted = version === undefined ? [id] : [id, normalizeVersion(version)];
      return (prepare(sql).all(...wanted) as RawDownload[]).map(toDownloadCount);
    },
    flush: later.flush,
  };
}

type RawDownload = {
  id: string;
  version: string;
  file: string;
  key_name: string;
  from_address: string;
  client: string;
  count: number;
  first: number;
  last: number;
};

function toDownloadCount(raw: RawDownload): DownloadCount {
  return {
    id: raw.id,
    version: raw.version,
    ...(raw.file === '' ? {} : { file: raw.file }),
    ...(raw.key_name === '' ? {} : { keyName: raw.key_name }),
    ...(raw.from_address === '' ? {} : { from: raw.from_address }),
    ...(raw.client === '' ? {} : { client: raw.client }),
    count: raw.count,
    first: new Date(raw.first),
    last: new Date(raw.last),
  };
}
