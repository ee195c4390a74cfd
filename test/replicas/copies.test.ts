import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { actorOf, operator } from '../../server/audit/audit.ts';
import { createSqlCatalog, type SqlCatalog } from '../../server/catalog/sql/catalog.ts';
import { createSqlKeys } from '../../server/keys/sql-keys.ts';
import { createLogger } from '../../server/log.ts';
import { openReplica, type Replica } from '../../server/replica/replica.ts';
import { makePackage } from '../kit/new-package.ts';
import { hasPostgres, type Postgres, startPostgres } from '../kit/postgres.ts';
import { makeTempDir } from '../kit/test-server.ts';

describe.runIf(hasPostgres)("a replica's copy of PostgreSQL", () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  let url: string;
  let dir: string;
  const open = new Set<Replica>();
  beforeEach(async () => {
    url = await postgres.newDatabase();
    dir = await makeTempDir();
  });
  afterEach(async () => {
    for (const replica of open) replica.close();
    open.clear();
    await rm(dir, { recursive: true, force: true });
  });

  async function openOne(name: string): Promise<{ replica: Replica; catalog: SqlCatalog }> {
    const replica = await openReplica(url, join(dir, `${name}.db`), createLogger('silent'));
    open.add(replica);
    return { replica, catalog: createSqlCatalog(replica.database, () => new Date(0)) };
  }
  function close({ replica }: { replica: Replica }): void {
    open.delete(replica);
    replica.close();
  }
  const add = ({ catalog }: { catalog: SqlCatalog }, version: string) =>
    catalog.add(makePackage({ id: 'delve', version }), operator);
  async function versions({
    replica,
    catalog,
  }: {
    replica: Replica;
    catalog: SqlCatalog;
  }): Promise<string[]> {
    await replica.refresh();
    const found = await catalog.versionsOf(['delve'], { view: 'semver2', includePrerelease: true }, 100);
    return (found.get('delve') ?? []).map(({ version }) => version);
  }

  it('has what others have written, before and after it was opened', async () => {
    const a = await openOne('a');
    await add(a, '1.0.0');
    const b = await openOne('b');
    await add(a, '1.1.0');

    expect(await versions(b)).toEqual(['1.1.0', '1.0.0']);
    await add(b, '1.2.0');
    expect(await versions(a)).toEqual(['1.2.0', '1.1.0', '1.0.0']);
    expect(await add(b, '1.1.0')).toBe('exists');
  });

  it('changes nothing for a key that another server has revoked, of which it has not heard yet', async () => {
    const [a, b] = [await openOne('a'), await openOne('b')];
    const keys = createSqlKeys(a.replica.database, { now: () => new Date(0) });
    const { id } = await keys.create({ name: 'CI', scopes: ['push'], ids: [] }, operator);
    const holder = actorOf({ keyId: id, name: 'CI' }, '192.0.2.1');
    await b.catalog.add(makePackage({ id: 'delve', version: '1.0.0' }), holder);
    await keys.revoke(id, operator);

    const late = b.catalog.add(makePackage({ id: 'delve', version: '1.1.0' }), holder);

    await expect(late).rejects.toMatchObject({ code: 'KEY_REVOKED' });
    for (const one of [a, b]) expect(await versions(one)).toEqual(['1.0.0']);
  });

  it('goes on from where it was when its server starts again', async () => {
    const a = await openOne('a');
    const b = await openOne('b');
    await add(a, '1.0.0');
    close(b);
    await add(a, '1.1.0');

    expect(await versions(await openOne('b'))).toEqual(['1.1.0', '1.0.0']);
  });

  it('is made anew when the database went back to an older state, and on from there', async () => {
    const a = await openOne('a');
    const b = await openOne('b');
    await add(a, '1.0.0');
    const [stateBefore] = [await postgres.sql('SELECT revision, token FROM replica_state', url)];
    const [revision = '', token = ''] = stateBefore.trim().split('|');
    await add(a, '1.1.0');
    expect(await versions(b)).toEqual(['1.1.0', '1.0.0']);

    // As a dump from before the last change would be.
    await postgres.sql(
      `DELETE FROM packages WHERE version = '1.1.0'; DELETE FROM audit WHERE version = '1.1.0';
       DELETE FROM nuspecs WHERE NOT EXISTS (SELECT 1 FROM packages p WHERE p.nuspec_pk = nuspecs.pk);
       UPDATE packages SET latest_semver1 = 1, newest_semver1 = 1, latest_semver2 = 1, newest_semver2 = 1;
       DELETE FROM replica_commits WHERE revision > ${revision};
       UPDATE replica_state SET revision = ${revision}, token = '${token}'`,
      url,
    );
    await add(a, '1.2.0');

    // B has the same number as the database, of another commit.
    expect(await versions(a)).toEqual(['1.2.0', '1.0.0']);
    expect(await versions(b)).toEqual(['1.2.0', '1.0.0']);
    close(b);
    expect(await versions(await openOne('b'))).toEqual(['1.2.0', '1.0.0']);
  });

  it('is made anew when its file is damaged, or of another database', async () => {
    const a = await openOne('a');
    await add(a, '1.0.0');
    close(a);
    const { writeFile } = await import('node:fs/promises');
    await writeFile(join(dir, 'a.db'), 'not a database at all, but long enough to be looked at'.repeat(50));
    expect(await versions(await openOne('a'))).toEqual(['1.0.0']);

    for (const replica of open) replica.close();
    open.clear();
    url = await postgres.newDatabase();
    expect(await versions(await openOne('a'))).toEqual([]);
  });

  it('writes nothing, in itself or elsewhere, of a change that fails', async () => {
    const a = await openOne('a');
    const b = await openOne('b');
    const failing = a.replica.database.transact(({ prepare }) => {
      prepare("INSERT INTO rings (name, globs) VALUES ('canary', '[]')").run();
      throw new Error('changed my mind');
    });
    const other = a.replica.database.transact(({ prepare }) =>
      prepare("INSERT INTO rings (name, globs) VALUES ('early', '[]')").run(),
    );

    await expect(failing).rejects.toThrow('changed my mind');
    await other;
    for (const { replica } of [a, b]) {
      await replica.refresh();
      expect(replica.database.prepare('SELECT name FROM rings').pluck().all()).toEqual(['early']);
    }
  });

  it('is made anew with thousands of versions, again and again', async () => {
    const a = await openOne('a');
    const many = 6_000;
    const added = Array.from({ length: many }, (_, at) =>
      a.catalog.add(
        makePackage({ id: `tool-${at % 900}`, version: `1.${at}.0`, title: `Nr. ${at}` }),
        operator,
      ),
    );
    await Promise.all(added);
    const b = await openOne('b');
    const lost = `UPDATE replica_state SET revision = revision + 1, token = 'of another line';
      INSERT INTO replica_commits (revision, token) SELECT revision, token FROM replica_state`;
    await postgres.sql(lost, url);

    for (const one of [a, b]) {
      await expect
        .poll(() =>
          one.replica.refresh().then(
            () => 'fresh',
            () => 'behind',
          ),
        )
        .toBe('fresh');
      expect(await one.catalog.size()).toBe(many);
    }
    // With the file of before, at a start.
    close(b);
    await postgres.sql(lost, url);
    expect(await (await openOne('b')).catalog.size()).toBe(many);
  });

  it('refuses a text that PostgreSQL cannot store, and nothing that is written beside it', async () => {
    const a = await openOne('a');
    const insert = (name: string) =>
      a.replica.database.transact(
        ({ prepare }) => prepare("INSERT INTO rings (name, globs) VALUES (?, '[]')").run(name).changes,
      );
    // A first one keeps the others waiting, so that they share a commit.
    const outcomes = await Promise.allSettled(['first', 'early', 'a\0b', 'a\\u0000b', 'late'].map(insert));

    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(outcomes[2]).toMatchObject({ reason: { code: 'TEXT_UNUSABLE' } });
    expect(await postgres.sql('SELECT count(*) FROM rings', url)).toContain('4');
  });

  it('sees nothing before PostgreSQL has it', async () => {
    const a = await openOne('a');
    let isSeen = false;
    const change = a.replica.database.transact(({ prepare, afterCommit }) => {
      prepare("INSERT INTO rings (name, globs) VALUES ('canary', '[]')").run();
      afterCommit(() => {
        isSeen = true;
      });
    });
    const count = () => a.replica.database.prepare('SELECT count(*) FROM rings').pluck().get();
    while (!isSeen) {
      expect(count()).toBe(0);
      await new Promise(setImmediate);
    }
    expect(await postgres.sql('SELECT count(*) FROM rings', url)).toContain('1');
    expect(count()).toBe(1);
    await change;
  });

  it('confirms a change only when PostgreSQL has it, however the connection ends', async () => {
    const a = await openOne('a');
    const b = await openOne('b');
    const added = Array.from({ length: 40 }, async (_, at) => {
      await new Promise((resolve) => setTimeout(resolve, at * 20));
      return add(at % 2 === 0 ? a : b, `1.0.${at}`);
    });
    for (let cut = 0; cut < 4; cut += 1) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      const all = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity';
      await postgres.sql(`${all} WHERE application_name = 'go-win-tools'`, url);
    }

    expect(new Set(await Promise.all(added))).toEqual(new Set(['added']));
    expect((await versions(a)).length).toBe(40);
    expect(await versions(b)).toEqual(await versions(a));
    expect(await postgres.sql('SELECT count(*) FROM packages', url)).toContain('40');
    expect(await postgres.sql('SELECT count(*), max(number) FROM audit', url)).toContain('40|40');
  });
});
