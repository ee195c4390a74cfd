import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RolloutPlan } from '../../../formats/rollout-plan.ts';
import { operator } from '../../../server/audit/audit.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { createConnection, openDatabase } from '../../../server/database/connection.ts';
import { openRollouts, type RolloutServices } from '../../../server/rollout-services.ts';
import { makePackage } from '../../kit/new-package.ts';
import { makeTempDir } from '../../kit/test-server.ts';

const everybody = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
const looks = ['of', 'bucketGrants'] as const;

describe('an admission that the disk does not have yet', () => {
  let dir: string;
  let db: Database.Database;
  let feed: RolloutServices;
  let disk: () => Promise<void>;
  const works = async (): Promise<void> => undefined;
  const fails = async (): Promise<void> => {
    throw new Error('the disk is gone');
  };
  beforeEach(async () => {
    dir = await makeTempDir();
    openDatabase(join(dir, 'catalog.db')).close();
    db = new Database(join(dir, 'catalog.db'));
    disk = works;
    const connection = createConnection(db, { write: (write) => write(), sync: () => disk() });
    const now = (): Date => new Date('2026-01-01T00:00:00Z');
    const catalog = createSqlCatalog(connection, now);
    feed = openRollouts(connection, { catalog, approvals: [], now });
    await catalog.add(makePackage({ id: 'delve', version: '1.21.0' }), operator);
    for (const version of ['1.22.0', '1.22.0.1']) {
      const manifest = { tool: 'delve', version, packageId: 'delve', text: version, message: version };
      await feed.heldManifests.put(manifest);
      await catalog.hold(makePackage({ id: 'delve', version }), operator);
    }
    const outcome = await feed.rollouts.start(
      {
        ...{ tool: 'delve', packageId: 'delve', version: '1.22.0', owner: 'ann' },
        ...{ plan: RolloutPlan.parse(everybody), writtenPlan: everybody },
      },
      { by: operator },
    );
    expect(outcome.is).toBe('started');
  });
  afterEach(async () => {
    db.close();
    await rm(dir, { recursive: true, force: true });
  });

  async function seen(look: (typeof looks)[number], asking: 'get' | 'head'): Promise<string[]> {
    const found = await feed.views[look]('pc-1', undefined, asking);
    return ('grants' in found ? found.grants : found).map(({ version }) => version);
  }
  const isReadable = () => db.prepare('SELECT 1 FROM admissions').get() !== undefined;
  async function turns(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  }

  it.each(looks)('is shown by no answer, to HEAD either, until it has (%s)', async (look) => {
    const waiting: (() => void)[] = [];
    disk = () => new Promise((resolve) => waiting.push(resolve));
    const answered: string[] = [];
    const get = seen('of', 'get').then((versions) => answered.push(`get ${versions}`));
    while (!isReadable()) await setImmediate();

    const head = seen(look, 'head').then((versions) => answered.push(`head ${versions}`));
    const again = seen(look, 'get').then((versions) => answered.push(`again ${versions}`));
    await turns();
    const before = [...answered];
    disk = works;
    for (const resolve of waiting) resolve();
    await Promise.all([get, head, again]);

    expect(before).toEqual([]);
    expect(answered.toSorted()).toEqual(['again 1.22.0', 'get 1.22.0', 'head 1.22.0']);
  });

  const notStored = { code: 'VIEW_NOT_STORED', cause: { message: 'the disk is gone' } };
  it.each(looks)(
    'is not shown after the disk has failed, until a GET has made it durable (%s)',
    async (look) => {
      disk = fails;
      await expect(seen(look, 'get')).rejects.toMatchObject(notStored);
      expect(isReadable()).toBe(true);

      expect(await seen(look, 'head')).toEqual([]);
      await expect(seen(look, 'get')).rejects.toMatchObject(notStored);
      disk = works;
      expect(await seen(look, 'head')).toEqual([]);
      expect(await seen(look, 'get')).toEqual(['1.22.0']);
      expect(await seen(look, 'head')).toEqual(['1.22.0']);
    },
  );

  it.each(looks)('fails in the same way for all that wait for it (%s)', async (look) => {
    let fail = (): void => undefined;
    const failed = new Promise<void>((_resolve, reject) => {
      fail = () => reject(new Error('the disk is gone'));
    });
    disk = () => failed;
    const first = seen(look, 'get');
    while (!isReadable()) await setImmediate();
    const outcomes = Promise.allSettled([first, seen(look, 'get'), seen(look, 'get')]);
    await turns();
    fail();

    const rejected = { status: 'rejected', reason: notStored };
    expect(await outcomes).toMatchObject([rejected, rejected, rejected]);
    disk = works;
    expect(await seen(look, 'get')).toEqual(['1.22.0']);
  });

  it.each(looks)('is a mistake, not a full disk, where it cannot be decided (%s)', async (look) => {
    db.exec(
      `CREATE TRIGGER mistake BEFORE INSERT ON admissions BEGIN SELECT RAISE(ABORT, 'no such thing'); END`,
    );
    await expect(seen(look, 'get')).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_TRIGGER' });
    expect(await seen(look, 'head')).toEqual([]);

    db.exec('DROP TRIGGER mistake');
    expect(await seen(look, 'get')).toEqual(['1.22.0']);
  });

  it('is made durable by the next GET also when its rollout has ended meanwhile', async () => {
    disk = fails;
    await expect(seen('of', 'get')).rejects.toMatchObject(notStored);
    disk = works;
    const [rollout] = await feed.rollouts.list();
    await feed.rollouts.act(rollout!.id, { kind: 'rollback' }, { by: operator });

    // First, since a view that waits for it in vain would let no timer end the test.
    await feed.rollouts.admit('pc-1');
    expect(feed.rollouts.isSettled('pc-1', new Set())).toBe(true);
    expect(await seen('of', 'get')).toEqual(['1.22.0', '1.22.0.1']);
  });

  it.each(looks)('is made by no HEAD (%s)', async (look) => {
    expect(await seen(look, 'head')).toEqual([]);
    expect(isReadable()).toBe(false);
    expect(await feed.clients.count()).toBe(0);
  });
});
