import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { type Connection, openDatabase } from '../../../server/catalog/sql/connect.ts';
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

  it('finds whose key it is', async () => {
    const keys = create();
    const { id, key } = await keys.create(ci, operator);

    expect(await keys.find(key)).toEqual({ keyId: id, ...ci });
  });

  it('makes keys that nobody guesses and everybody can tell as ours', async () => {
    const keys = create();
    const made = await Promise.all(Array.from({ length: 20 }, () => keys.create(ci, operator)));

    for (const { id, key } of made) {
      expect(key).toMatch(/^gwt_[A-Za-z0-9_-]{43}$/);
      expect(id).toMatch(/^[0-9a-f]{16}$/);
    }
    expect(new Set(made.map(({ key }) => key)).size).toBe(20);
  });

  it.each(['', 'gwt_', 'gwt_AAAA', 'admin', "' OR 1=1 --", 'ADMIN_API_KEY'])(
    'does not know %j',
    async (key) => {
      const keys = create('the admin key');
      await keys.create(ci, operator);

      expect(await keys.find(key)).toBeUndefined();
    },
  );

  it('knows keys still after it was opened again, without having them on disk', async () => {
    const { id, key } = await create().create(ci, operator);
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
    const written = await readFile(join(dir, 'catalog.db'));
    db = openDatabase(join(dir, 'catalog.db'));

    expect(written.includes(key)).toBe(false);
    expect(written.includes(key.slice(4))).toBe(false);
    expect(await create().find(key)).toMatchObject({ keyId: id });
  });

  it('knows a revoked key no more, and keeps its row for the trail', async () => {
    const keys = create();
    const { id, key } = await keys.create(ci, operator);

    expect(await keys.revoke(id, operator)).toBe('revoked');
    expect(await keys.find(key)).toBeUndefined();
    expect(await keys.revoke(id, operator)).toBe('missing');
    expect(await keys.list()).toMatchObject([{ keyId: id, revoked: time }]);
  });

  it('lists keys, oldest first, without what is secret', async () => {
    const keys = create('the admin key');
    const first = await keys.create(ci, operator);
    time = new Date('2026-01-02T00:00:00Z');
    const second = await keys.create({ name: 'Ops', scopes: ['admin'], ids: [] }, operator);

    const list = await keys.list();

    expect(list).toEqual([
      { keyId: first.id, ...ci, created: new Date('2026-01-01T00:00:00Z'), lastUsed: undefined },
      {
        keyId: second.id,
        name: 'Ops',
        scopes: ['admin'],
        ids: [],
        created: new Date('2026-01-02T00:00:00Z'),
        lastUsed: undefined,
      },
    ]);
    expect(JSON.stringify(list)).not.toContain(first.key);
  });

  it('notes the last use at once and keeps it once flushed', async () => {
    const keys = create();
    const { key } = await keys.create(ci, operator);
    time = new Date('2026-03-01T00:00:00Z');
    await keys.find(key);
    time = new Date('2026-03-02T00:00:00Z');
    await keys.find(key);

    expect(await keys.list()).toMatchObject([{ lastUsed: time }]);
    expect(await create().list()).toMatchObject([{ lastUsed: undefined }]);
    await keys.flush();
    expect(await create().list()).toMatchObject([{ lastUsed: time }]);
  });

  it('takes ADMIN_API_KEY for a key with every scope that is in no list', async () => {
    const keys = create('the admin key');

    expect(await keys.find('the admin key')).toMatchObject({ scopes: ['admin'], ids: [] });
    expect(await keys.list()).toEqual([]);
    expect(await create().find('the admin key')).toBeUndefined();
  });
});
