import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { createGroupCommit } from '../../../server/database/group-commit.ts';
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
  return { db, other, insert, count, inGroup: createGroupCommit(db) };
}

describe('changes that come together', () => {
  it('are one transaction: nobody sees the first before the last', async () => {
    const { other, insert, count, inGroup } = await open();
    const seenByOther: number[] = [];

    const changes = [1, 2, 3].map((n) =>
      inGroup(() => {
        seenByOther.push(count(other));
        return insert(n)();
      }),
    );

    expect(await Promise.all(changes)).toEqual([1, 1, 1]);
    expect(seenByOther).toEqual([0, 0, 0]);
    expect(count(other)).toBe(3);
  });

  it('do not take each other along when one fails', async () => {
    const { other, insert, count, inGroup } = await open();

    const results = await Promise.allSettled([
      inGroup(insert(1)),
      inGroup(() => {
        insert(2)();
        throw new Error('no');
      }),
      inGroup(insert(3)),
    ]);

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(count(other)).toBe(2);
  });

  it('all fail when the transaction cannot be made', async () => {
    const { db, insert, inGroup } = await open();
    const changes = [inGroup(insert(1)), inGroup(insert(2))];
    db.close();

    const results = await Promise.allSettled(changes);

    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('tell the one for which no room is left so, and keep what fits', async () => {
    const { db, other, insert, count, inGroup } = await open();
    db.exec('CREATE TABLE large (bytes BLOB) STRICT');
    db.pragma(`max_page_count = ${Number(db.pragma('page_count', { simple: true })) + 4}`);
    const tooMuch = 'INSERT INTO large SELECT zeroblob(100000) FROM (SELECT 1 UNION ALL SELECT 2)';

    const results = await Promise.allSettled([
      inGroup(insert(1)),
      inGroup(() => db.exec(tooMuch)),
      inGroup(insert(2)),
    ]);

    const kept = results.filter(({ status }) => status === 'fulfilled').length;
    expect(results[1]).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_FULL' } });
    expect(count(other)).toBe(kept);
  });

  it('go on coming, in groups of any size', async () => {
    const { other, insert, count, inGroup } = await open();

    for (const size of [1, 5, 1, 30]) {
      const from = count(other);
      await Promise.all(Array.from({ length: size }, (_one, n) => inGroup(insert(from + n))));
      expect(count(other)).toBe(from + size);
    }
  });
});
