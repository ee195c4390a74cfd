import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { createSqlPendingBlobs } from '../../../server/catalog/sql/pending-blobs.ts';
import { createSqlPurgeQueue } from '../../../server/catalog/sql/purge.ts';
import { openDatabase } from '../../../server/database/connection.ts';
import { migrations } from '../../../server/database/migrations.ts';
import { correctionsOf, lacksCorrection } from '../../../server/rollout/sql-corrections.ts';
import { makePackage } from '../../kit/new-package.ts';

describe('the database', () => {
  let dir: string;
  let file: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gwt-connect-'));
    file = join(dir, 'catalog.db');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('is durable: write-ahead log, on disk at each commit', () => {
    const db = openDatabase(file);

    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(db.pragma('synchronous', { simple: true })).toBe(2);
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
    expect(db.pragma('busy_timeout', { simple: true })).toBe(10_000);
    db.close();
  });

  it('is at the newest schema, also when it is opened again', () => {
    openDatabase(file).close();
    const db = openDatabase(file);

    expect(db.pragma('user_version', { simple: true })).toBe(migrations.length);
    db.close();
  });

  it("keeps the content of an earlier program's tables under their new names", async () => {
    const before = new Database(file);
    const renamed = migrations.findIndex((step) => step.includes('RENAME TO nuspecs'));
    for (const step of migrations.slice(0, renamed)) before.exec(step);
    before.pragma(`user_version = ${renamed}`);
    before.exec(
      "INSERT INTO fresh_blobs (sha256, bytes) VALUES ('aa', x'01'); INSERT INTO doomed_blobs VALUES ('bb')",
    );
    before.close();

    const db = openDatabase(file);

    expect(await createSqlPendingBlobs(db).list(10)).toEqual([{ number: 1, sha256: 'aa', sizeBytes: 1 }]);
    expect(await createSqlPurgeQueue(db).list()).toEqual(['bb']);
    expect(db.pragma('foreign_key_check')).toEqual([]);
    db.close();
  });

  it('keeps the corrections of an earlier program, whatever main offered when they were prepared', async () => {
    const before = new Database(file);
    const added = migrations.findIndex((step) => step.includes('rollout_corrections ADD COLUMN main'));
    expect(added).toBeGreaterThan(0);
    for (const step of migrations.slice(0, added)) before.exec(step);
    before.pragma(`user_version = ${added}`);
    before.exec(`INSERT INTO rollouts (id, tool, package_id, version, seed, plan, begun_at, state, since, step, held, counted_to)
      VALUES (1, 'delve', 'delve', '1.22.0', 's', '{}', 0, 'pending', 0, -1, 0, 0), (2, 'buf', 'buf', '1.33.0', 's', '{}', 0, 'pending', 0, -1, 0, 0);
      INSERT INTO rollout_corrections (rollout, number, version) VALUES (1, 1, '1.22.0.1')`);
    before.close();

    const db = openDatabase(file);
    const { prepare } = db;
    const catalog = createSqlCatalog(db, () => new Date(0));
    for (const id of ['delve', 'buf']) await catalog.add(makePackage({ id, version: '1.21.0' }), operator);

    expect(correctionsOf(prepare, 1)).toEqual(['1.22.0.1']);
    expect(lacksCorrection(prepare, { id: 1, packageId: 'delve' })).toBe(false);
    expect(lacksCorrection(prepare, { id: 2, packageId: 'buf' })).toBe(true);
    db.close();
  });

  it('of a newer program is left alone', () => {
    const db = openDatabase(file);
    db.pragma(`user_version = ${migrations.length + 1}`);
    db.close();

    expect(() => openDatabase(file)).toThrow(expect.objectContaining({ code: 'CATALOG_NEWER' }));
  });

  it('is refused when it is not a database', async () => {
    await writeFile(file, 'This is a text. '.repeat(1000));

    expect(() => openDatabase(file)).toThrow(expect.objectContaining({ code: 'CATALOG_DAMAGED' }));
  });

  it('is refused when it lost its end', async () => {
    const db = openDatabase(file);
    const catalog = createSqlCatalog(db, () => new Date(0));
    for (let n = 0; n < 50; n += 1) {
      await catalog.add(
        makePackage({ id: 'x', version: `1.${n}.0`, description: 'long '.repeat(200) }),
        operator,
      );
    }
    db.close();
    await truncate(file, 60_000);

    expect(() => openDatabase(file)).toThrow(expect.objectContaining({ code: 'CATALOG_DAMAGED' }));
  });
});
