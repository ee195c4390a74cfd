import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { operator } from '../../../../server/audit/audit.ts';
import type { PackageQuery, QueryProperty } from '../../../../server/catalog/query.ts';
import { createSqlCatalog } from '../../../../server/catalog/sql/catalog.ts';
import { pageSql } from '../../../../server/catalog/sql/query.ts';
import { rowColumns } from '../../../../server/catalog/sql/rows.ts';
import { openDatabase } from '../../../../server/database/connection.ts';
import type { ScanOptions } from '../../../../server/database/scans.ts';
import { describeCatalog, editedAt, everything } from '../../../contract/catalog.ts';
import { describeHeldVersions } from '../../../contract/held.ts';
import { describePrunable } from '../../../contract/prunable.ts';
import { makePackage } from '../../../kit/new-package.ts';

const open = async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gwt-catalog-'));
  const file = join(dir, 'catalog.db');
  let db = openDatabase(file);
  const create = () => createSqlCatalog(db, () => editedAt);
  const catalog = create();
  return {
    catalog,
    revisions: catalog.revisions,
    async reopen() {
      db.close();
      db = openDatabase(file);
      return create();
    },
    async close() {
      db.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
};
describeCatalog('SqlCatalog', open);
describeHeldVersions('SqlCatalog', open);
describePrunable('SqlCatalog', open);

describe("the SQL of choco's most frequent queries", () => {
  const tolowerId = { kind: 'call', name: 'tolower', args: [{ kind: 'property', name: 'Id' }] } as const;
  const idEquals = {
    kind: 'compare',
    operator: 'eq',
    left: tolowerId,
    right: { kind: 'text', value: 'x' },
  } as const;
  const flag = (name: QueryProperty) => ({ kind: 'property', name }) as const;

  it.each([
    ['FindPackagesById', { id: 'x' }, 'package_versions (id_key=?)'],
    ['tolower(Id) eq', { where: idEquals }, 'package_versions (id_key=?)'],
    [
      'the latest of an id',
      { where: { kind: 'and', left: idEquals, right: flag('IsLatestVersion') } },
      'package_latest2 (id_key=?)',
    ],
    [
      'the newest of an id',
      { where: { kind: 'and', left: idEquals, right: flag('IsAbsoluteLatestVersion') } },
      'package_newest2 (id_key=?)',
    ],
    [
      'the latest of an id for a SemVer 1 client',
      { view: 'semver1', where: { kind: 'and', left: idEquals, right: flag('IsLatestVersion') } },
      'package_latest1 (id_key=?)',
    ],
    ['search for latest ones', { where: flag('IsLatestVersion'), search: ['x'] }, 'package_latest2'],
  ] as const)('finds %s in an index', (_what, query, index) => {
    const db = openDatabase(':memory:');
    const asked = { ...everything, ...query };
    const { text, values } = pageSql(rowColumns(asked.view), asked);

    const plan = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...values) as { detail: string }[];

    const first = plan.find(({ detail }) => / p /.test(detail));
    expect(first?.detail).toContain(`INDEX ${index}`);
    db.close();
  });
});

describe('a query that runs beside the main thread', () => {
  it('does not share the answer of one that began before counts were written', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'gwt-catalog-'));
    const db = openDatabase(join(dir, 'catalog.db'));
    const states: number[] = [];
    const scans = {
      async run(_query: unknown, { state }: ScanOptions) {
        states.push(state);
        return [];
      },
      close: async () => undefined,
    };
    const catalog = createSqlCatalog(db, () => editedAt, scans);
    try {
      for (let n = 0; n < 20; n += 1) {
        const description = `${n}`.repeat(4000).slice(0, 4000);
        await catalog.add(makePackage({ id: `id-${n}`, version: '1.0.0', description }), operator);
      }
      const search = Array.from({ length: 30 }, (_, n) => `word${n}`);
      const long: PackageQuery = { ...everything, view: 'semver2', search };
      await catalog.query(long);
      await catalog.query(long);
      catalog.countDownload('id-1', '1.0.0');
      await catalog.flush();
      await catalog.query(long);

      expect(states).toHaveLength(3);
      expect(states[1]).toBe(states[0]);
      expect(states[2]).toBeGreaterThan(Number(states[1]));
    } finally {
      db.close();
      await rm(dir, { recursive: true, force: true });
    }
  });
});
