import { copyFileSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../server/database/connection.ts';
import { type LogCopierOptions, openLogCopier, startCopying } from '../../../server/database/log-copier.ts';
import { makeTempDir } from '../../kit/test-server.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function open(options: Partial<LogCopierOptions>) {
  const dir = await makeTempDir();
  undo.push(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  const file = join(dir, 'catalog.db');
  openDatabase(file).close();
  const copier = openLogCopier(file, { everyCommits: 4, ...options });
  const { exec, prepare, transact, close } = openDatabase(file, { copier });
  undo.push(async () => {
    await copier.close();
    close();
  });
  exec('CREATE TABLE seen (n INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT');
  const insert = (n: number): Promise<unknown> =>
    transact(() => prepare('INSERT INTO seen VALUES (?, zeroblob(3000))').run(n));
  const countIn = (of: string): unknown => {
    const db = new Database(of);
    try {
      return db.prepare('SELECT count(*) FROM seen').pluck().get();
    } finally {
      db.close();
    }
  };
  return { file, insert, countIn };
}

/** The number of the log's checkpoint, in its header (https://sqlite.org/fileformat2.html#walformat). */
function timesBegun(file: string): number {
  return readFileSync(`${file}-wal`).readUInt32BE(12);
}

describe('the write-ahead log', () => {
  it('is copied into the database and begun anew while changes come without a pause', async () => {
    const { file, insert, countIn } = await open({});
    const first = timesBegun(file);
    let count = 0;

    while (timesBegun(file) === first) {
      await Promise.all([1, 2, 3, 4].map(() => insert(count++)));
      // Then SQLite copies it within a commit.
      expect(statSync(`${file}-wal`).size).toBeLessThan(16_000_000);
    }
    copyFileSync(file, `${file}.alone`);

    expect(countIn(`${file}.alone`)).toBeGreaterThanOrEqual(count - 4);
    expect(countIn(file)).toBe(count);
  });

  it('is copied again after the thread was idle and ended', async () => {
    let threads = 0;
    const { file, insert, countIn } = await open({
      idleMs: 1,
      startThread(of) {
        threads += 1;
        return startCopying(of);
      },
    });
    let count = 0;

    for (; threads < 3; count += 1) {
      await insert(count);
      await nextTurn();
    }

    expect(countIn(file)).toBe(count);
  });

  it.each([
    ['ends', () => new Worker('process.exit(1)', { eval: true })],
    ['fails', () => new Worker('throw new Error("no")', { eval: true })],
    [
      'does not start',
      () => {
        throw new Error('no thread');
      },
    ],
  ])('grows when the thread %s, and changes go on', async (_what, startThread) => {
    const { file, insert, countIn } = await open({ startThread });

    for (let n = 0; n < 20; n += 1) await insert(n);

    expect(countIn(file)).toBe(20);
  });
});
