import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../../../server/audit/audit.ts';
import { contains } from '../../../../server/catalog/search-text.ts';
import { createSqlCatalog } from '../../../../server/catalog/sql/catalog.ts';
import { type Connection, openDatabase } from '../../../../server/database/connection.ts';
import { migrations } from '../../../../server/database/migrations.ts';
import { makePackage } from '../../../kit/new-package.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'place-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const versions = [
  ['delve', '1.0.0', 'finds bugs'],
  ['air', '1.0.0', 'reloads'],
  ['delve', '1.1.0', 'finds bugs'],
  ['Air', '0.9.0', 'reloads'],
  ['delve', '1.2.0', 'finds more bugs'],
  ['air', '1.1.0', 'reloads'],
  ['bat', '1.0.0', 'reloads'],
] as const;

const everything = {
  view: 'semver2',
  includeUnlisted: true,
  includePrerelease: true,
  skip: 0,
  take: 100,
} as const;

async function said(file: string): Promise<string[]> {
  const db = openDatabase(file);
  const rows = await createSqlCatalog(db, () => new Date(0)).query({ ...everything, orderBy: [] });
  db.close();
  return rows.map(({ id, version, nuspec }) => `${id} ${version} ${nuspec.description}`);
}

describe('the primary key of a version', () => {
  it('is next to the other versions of its id, and equal texts are stored once', async () => {
    const db = openDatabase(join(dir, 'catalog.db'));
    const catalog = createSqlCatalog(db, () => new Date(0));
    for (const [id, version, description] of versions) {
      await catalog.add(makePackage({ id, version, description }), operator);
    }

    const places = db.prepare('SELECT id_key, version, nuspec_pk FROM packages ORDER BY pk').raw().all() as [
      string,
      string,
      number,
    ][];

    expect(places.map(([id, version]) => `${id} ${version}`)).toEqual([
      'delve 1.0.0',
      'delve 1.1.0',
      'delve 1.2.0',
      'air 1.0.0',
      'air 0.9.0',
      'air 1.1.0',
      'bat 1.0.0',
    ]);
    expect(new Set(places.map(([, , texts]) => texts)).size).toBe(4);
    db.close();
    expect(await said(join(dir, 'catalog.db'))).toEqual([
      'air 1.1.0 reloads',
      'air 1.0.0 reloads',
      'air 0.9.0 reloads',
      'bat 1.0.0 reloads',
      'delve 1.2.0 finds more bugs',
      'delve 1.1.0 finds bugs',
      'delve 1.0.0 finds bugs',
    ]);
  });

  it('is assigned in the database of an earlier program, and nothing else changes', async () => {
    const file = join(dir, 'catalog.db');
    const db = openDatabase(file);
    const catalog = createSqlCatalog(db, () => new Date(0));
    for (const [id, version, description] of versions) {
      await catalog.add(makePackage({ id, version, description, owners: 'Team' }), operator);
    }
    await catalog.setListed('delve', '1.2.0', false, operator);
    const rows = await catalog.query({ ...everything, orderBy: [] });
    const old = join(dir, 'old.db');
    writeAsSchema4(db, old);
    db.close();

    const upgraded = openDatabase(old);

    expect(upgraded.pragma('foreign_key_check')).toEqual([]);
    expect(upgraded.pragma('integrity_check', { simple: true })).toBe('ok');
    const again = createSqlCatalog(upgraded, () => new Date(0));
    expect(await again.query({ ...everything, orderBy: [] })).toEqual(rows);
    const where = contains('Owners', 'team');
    expect(await again.query({ ...everything, where, orderBy: [] })).toEqual(rows);
    expect(upgraded.prepare('SELECT count(*) FROM nuspecs').pluck().get()).toBe(4);
    await again.add(
      makePackage({ id: 'air', version: '2.0.0', description: 'reloads', owners: 'Team' }),
      operator,
    );
    expect(upgraded.prepare('SELECT count(*) FROM nuspecs').pluck().get()).toBe(4);
    expect((await again.findLatest('air'))?.version).toBe('2.0.0');
    upgraded.close();
  });
});

/** The same rows as schema 4 had them: in the order in which they came, with texts of their own. */
function writeAsSchema4(from: Pick<Connection, 'prepare'>, file: string): void {
  const to = new Database(file);
  for (const step of migrations.slice(0, 4)) to.exec(step);
  to.pragma('user_version = 4');
  function copy(table: string, rows: readonly object[]): void {
    for (const row of rows) {
      const names = Object.keys(row);
      to.prepare(`INSERT INTO ${table} (${names}) VALUES (${names.map((name) => `@${name}`)})`).run(row);
    }
  }
  copy('ids', from.prepare('SELECT * FROM ids').all() as object[]);
  const packages = from.prepare('SELECT * FROM packages').all() as Record<string, unknown>[];
  const order = new Map(versions.map(([id, version], at) => [`${id.toLowerCase()} ${version}`, at + 1]));
  for (const { nuspec_pk, package_types: _types, pk: _, ...row } of packages) {
    const pk = order.get(`${row.id_key} ${row.version}`);
    const { owners: _owners, ...texts } = from
      .prepare('SELECT * FROM nuspecs WHERE pk = ?')
      .get(Number(nuspec_pk)) as {
      nuspec: string;
      owners: string;
    };
    const identity = { id: row.id_key, version: row.version };
    const nuspec = JSON.stringify({ ...identity, ...JSON.parse(texts.nuspec) });
    copy('packages', [{ ...row, pk }]);
    copy('texts', [{ ...texts, pk, nuspec }]);
  }
  to.close();
}
