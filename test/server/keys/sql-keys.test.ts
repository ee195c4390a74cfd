import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { migrations } from '../../../server/database/migrations.ts';
import type { NewKey } from '../../../server/keys/keys.ts';
import { createSqlKeys } from '../../../server/keys/sql-keys.ts';

describe('SqlKeys', () => {
  let dir: string;
  let db: Connection;
  let time: Date;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gwt-keys-'));
    db = openDatabase(join(dir, 'catalog.db'));
    time = new Date('2026-01-01T00:00:00Z');
  });
  afterEach(async () => {
    db.close();
    await rm(dir, { recursive: true, force: true });
  });

  const create = (adminApiKey?: string) => createSqlKeys(db, { now: () => time, adminApiKey });
  const ci: NewKey = { name: 'CI', scopes: ['push:beta', 'read'], ids: ['delve', 'go*'] };
  const unlimited = { clients: [], networks: [], owner: undefined, expires: undefined };
  const from = '192.0.2.1';

  it('knows keys still after it was opened again, without having them on disk', async () => {
    const { id, key } = await create().create(ci, operator);
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
    const written = await readFile(join(dir, 'catalog.db'));
    db = openDatabase(join(dir, 'catalog.db'));

    expect(written.includes(key)).toBe(false);
    expect(written.includes(key.slice(4))).toBe(false);
    expect(await create().find(key, from)).toMatchObject({ key: { keyId: id } });
  });

  it('takes over the keys of an earlier database', async () => {
    db.close();
    const file = join(dir, 'before.db');
    const before = new Database(file);
    const added = migrations.findIndex((step) => step.includes('CREATE TABLE old_secrets'));
    for (const step of migrations.slice(0, added)) before.exec(step);
    before.pragma(`user_version = ${added}`);
    const sql =
      "INSERT INTO keys (id, name, scopes, ids, hash, created) VALUES ('a1', 'old', '[\"push\"]', '[\"buf\"]', ?, 5)";
    before.prepare(sql).run(createHash('sha256').update('the old key').digest());
    before.close();
    db = openDatabase(file);

    expect(await create().find('the old key', from)).toMatchObject({
      key: { keyId: 'a1', name: 'old', scopes: ['push'], ids: ['buf'], ...unlimited },
    });
    expect(await create().rotate('a1', {}, operator)).toMatchObject({ key: expect.any(String) });
  });
});
