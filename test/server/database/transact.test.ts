import { copyFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { createCommit } from '../../../server/database/commit.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { createLogDurability, type Durability } from '../../../server/database/durability.ts';
import { createStatements } from '../../../server/database/statements.ts';
import { createTransact } from '../../../server/database/transact.ts';
import { makeTempDir } from '../../kit/test-server.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function open() {
  const dir = await makeTempDir();
  undo.push(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  const connect = (): Connection => {
    const db = openDatabase(join(dir, 'catalog.db'));
    undo.push(() => db.close());
    return db;
  };
  const [db, other] = [connect(), connect()];
  db.exec('CREATE TABLE seen (n INTEGER PRIMARY KEY) STRICT');
  const insert = (n: number) => () => db.prepare('INSERT INTO seen VALUES (?)').run(n).changes;
  const count = (from = db) => (from.prepare('SELECT count(*) AS n FROM seen').get() as { n: number }).n;
  return { db, other, insert, count, transact: db.transact };
}

describe('simultaneous changes', () => {
  it('are one transaction: nobody sees the first before the last', async () => {
    const { other, insert, count, transact } = await open();
    const seenByOther: number[] = [];

    const changes = [1, 2, 3].map((n) =>
      transact(() => {
        seenByOther.push(count(other));
        return insert(n)();
      }),
    );

    expect(await Promise.all(changes)).toEqual([1, 1, 1]);
    expect(seenByOther).toEqual([0, 0, 0]);
    expect(count(other)).toBe(3);
  });

  it('are independent when one fails', async () => {
    const { other, insert, count, transact } = await open();

    const results = await Promise.allSettled([
      transact(insert(1)),
      transact(() => {
        insert(2)();
        throw new Error('no');
      }),
      transact(insert(3)),
    ]);

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(count(other)).toBe(2);
  });

  it('leave nothing behind when a single one fails', async () => {
    const { other, insert, count, transact } = await open();

    const failed = transact(() => {
      insert(1)();
      throw new Error('no');
    });

    await expect(failed).rejects.toThrow('no');
    expect(count(other)).toBe(0);
    expect(await transact(insert(1))).toBe(1);
  });

  it('all fail when the transaction cannot be made', async () => {
    const { db, insert, transact } = await open();
    const changes = [transact(insert(1)), transact(insert(2))];
    db.close();

    const results = await Promise.allSettled(changes);

    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('report a full disk to the one that needs space, and keep what fits', async () => {
    const { db, other, insert, count, transact } = await open();
    db.exec('CREATE TABLE large (bytes BLOB) STRICT');
    db.pragma(`max_page_count = ${Number(db.pragma('page_count', { simple: true })) + 4}`);
    const tooMuch = 'INSERT INTO large SELECT zeroblob(100000) FROM (SELECT 1 UNION ALL SELECT 2)';

    const results = await Promise.allSettled([
      transact(insert(1)),
      transact(() => db.exec(tooMuch)),
      transact(insert(2)),
    ]);

    const kept = results.filter(({ status }) => status === 'fulfilled').length;
    expect(results[1]).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_FULL' } });
    expect(count(other)).toBe(kept);
  });

  it('go on coming, in groups of any size', async () => {
    const { other, insert, count, transact } = await open();

    for (const size of [1, 5, 1, 30]) {
      const from = count(other);
      await Promise.all(Array.from({ length: size }, (_one, n) => transact(insert(from + n))));
      expect(count(other)).toBe(from + size);
    }
  });

  it('are written with their audit entries, and rolled back with them', async () => {
    const { db, insert, count, transact } = await open();
    const entries = () => db.prepare('SELECT subject FROM audit ORDER BY number').pluck().all();
    const write = (n: number, isBad = false) =>
      transact(({ record }) => {
        insert(n)();
        record({ kind: 'key created', subject: `key ${n}` }, operator, new Date(0));
        if (isBad) throw new Error('no');
      });

    await Promise.allSettled([write(1), write(2, true), write(3)]);

    expect(count()).toBe(2);
    expect(entries()).toEqual(['key 1', 'key 3']);
  });

  it('run what follows from them once they are committed, before anybody gets the confirmation', async () => {
    const { other, insert, count, transact } = await open();
    const seen: string[] = [];
    const write = (n: number, isBad = false) =>
      transact(({ afterCommit }) => {
        insert(n)();
        afterCommit(() => seen.push(`${n}: ${count(other)} committed`));
        if (isBad) throw new Error('no');
      }).then(
        () => seen.push(`${n} heard`),
        () => seen.push(`${n} failed`),
      );

    await Promise.all([write(1), write(2, true)]);

    expect(seen).toEqual(['1: 1 committed', '1 heard', '2 failed']);
  });

  it('all run what follows from them, even if one of them fails', async () => {
    const { other, insert, count, transact } = await open();
    const seen: string[] = [];
    const write = (n: number) =>
      transact(({ afterCommit }) => {
        insert(n)();
        afterCommit(() => {
          if (n === 2) throw new Error('no');
        });
        afterCommit(() => void seen.push(`${n} committed`));
      });

    const results = await Promise.allSettled([write(1), write(2), write(3)]);

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(seen).toEqual(['1 committed', '2 committed', '3 committed']);
    expect(count(other)).toBe(3);
  });
});

describe('a change and the disk', () => {
  /** With `durability` made from the usual one, and a second connection that sees what is committed. */
  async function openWith(change: (usual: Durability, file: string) => Partial<Durability>) {
    const dir = await makeTempDir();
    undo.push(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
    const file = join(dir, 'catalog.db');
    const connect = (from: string): Database.Database => {
      const db = new Database(from);
      undo.push(() => db.close());
      return db;
    };
    openDatabase(file).close();
    const db = connect(file);
    db.exec('CREATE TABLE seen (n INTEGER PRIMARY KEY) STRICT');
    const usual = createLogDurability(db, file);
    const transact = createTransact(
      createStatements(db),
      createCommit(db, { ...usual, ...change(usual, file) }),
    );
    const other = connect(file);
    return {
      file,
      connect,
      insert: (n: number) => transact(({ prepare }) => prepare('INSERT INTO seen VALUES (?)').run(n).changes),
      count: (from = other) => from.prepare('SELECT count(*) FROM seen').pluck().get(),
    };
  }

  it('is seen at once, and confirmed when the disk has it', async () => {
    let letGo = (): void => undefined;
    const { insert, count } = await openWith(({ sync }) => ({
      sync: () => new Promise<void>((resolve) => (letGo = resolve)).then(sync),
    }));
    let isConfirmed = false;

    const change = insert(1).then(() => {
      isConfirmed = true;
    });
    while (count() === 0) await nextTurn();
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();

    expect(isConfirmed).toBe(false);
    letGo();
    await change;
    expect(isConfirmed).toBe(true);
  });

  it('shares the next transaction and the next wait with those that come while the disk works', async () => {
    const waits: (() => void)[] = [];
    const { insert, count } = await openWith(() => ({
      sync: () => new Promise((resolve) => waits.push(resolve)),
    }));
    const first = insert(1);
    while (count() === 0) await nextTurn();

    const others = [2, 3, 4].map(insert);
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    expect([count(), waits.length]).toEqual([1, 1]);
    waits[0]?.();
    await first;
    while (waits.length < 2) await nextTurn();
    expect(count()).toBe(4);
    waits[1]?.();
    await Promise.all(others);

    expect(waits).toHaveLength(2);
  });

  it('is, once it is confirmed, in what the disk was asked to keep', async () => {
    let kept = 0;
    const { insert, count, connect, file } = await openWith(({ sync }, of) => ({
      sync() {
        // What a power cut leaves when all that comes later is lost.
        kept += 1;
        for (const suffix of ['', '-wal']) copyFileSync(`${of}${suffix}`, `${of}.kept${kept}${suffix}`);
        return sync();
      },
    }));

    for (const [size, from] of [
      [1, 0],
      [5, 1],
      [1, 6],
      [30, 7],
    ] as const) {
      await Promise.all(Array.from({ length: size }, (_one, n) => insert(from + n)));

      expect(count(connect(`${file}.kept${kept}`))).toBe(from + size);
    }
    expect(kept).toBeGreaterThanOrEqual(4);
  });

  it('is confirmed by a copy in the main file when the log cannot be synced', async () => {
    const { insert, count, connect, file } = await openWith((_usual, of) => {
      const writer = new Database(of);
      undo.push(() => writer.close());
      copyFileSync(of, `${of}.none`);
      return { sync: createLogDurability(writer, `${of}.none`).sync };
    });

    await insert(1);
    copyFileSync(file, `${file}.alone`);

    expect(count(connect(`${file}.alone`))).toBe(1);
  });

  it('fails when the disk does, and holds up none that come later', async () => {
    const failures = [new Error('no disk')];
    const { insert } = await openWith(({ sync }) => ({
      async sync() {
        const failure = failures.pop();
        if (failure !== undefined) throw failure;
        await sync();
      },
    }));

    await expect(insert(1)).rejects.toThrow('no disk');
    expect(await insert(2)).toBe(1);
  });
});
