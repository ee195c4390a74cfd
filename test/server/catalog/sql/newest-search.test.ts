import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { operator } from '../../../../server/audit/audit.ts';
import type { Expression, PackageQuery, SemVerView } from '../../../../server/catalog/query.ts';
import { createSqlCatalog } from '../../../../server/catalog/sql/catalog.ts';
import { createNewestSearch, type NewestSearch } from '../../../../server/catalog/sql/newest-search.ts';
import { createNewestTexts } from '../../../../server/catalog/sql/newest-texts.ts';
import { countSql, pageSql } from '../../../../server/catalog/sql/query.ts';
import type { SqlRevisions } from '../../../../server/catalog/sql/revisions.ts';
import { openDatabase } from '../../../../server/database/connection.ts';
import { makePackage } from '../../../kit/new-package.ts';

const ids = ['go', 'Go.Lint', 'go-lint', 'delve', 'a_b', 'Zoo'] as const;
const versions = ['1.0.0', '1.1.0-beta.1', '2.0.0', '2.0.0-rc.1+x'] as const;
const words = ['go', 'lint', 'e', 'Ä', 'delve', '.', 'nothing', 'go.lint', '😀'] as const;

const property = (name: 'IsLatestVersion' | 'IsAbsoluteLatestVersion'): Expression => ({
  kind: 'property',
  name,
});
const isTrue = (left: Expression): Expression => ({
  kind: 'compare',
  operator: 'eq',
  left,
  right: { kind: 'boolean', value: true },
});
const both: Expression = {
  kind: 'and',
  left: property('IsLatestVersion'),
  right: isTrue(property('IsAbsoluteLatestVersion')),
};

const queries: fc.Arbitrary<PackageQuery> = fc.record({
  view: fc.constantFrom<SemVerView>('semver1', 'semver2'),
  search: fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 2 }),
  where: fc.constantFrom(
    property('IsLatestVersion'),
    property('IsAbsoluteLatestVersion'),
    isTrue(property('IsLatestVersion')),
    both,
  ),
  includeUnlisted: fc.boolean(),
  includePrerelease: fc.boolean(),
  orderBy: fc.constantFrom([], [{ by: 'Id', descending: false }] as const),
  skip: fc.nat(3),
  take: fc.nat(5),
});

type Step = {
  readonly what: 'add' | 'add' | 'unlist' | 'relist' | 'purge';
  readonly id: (typeof ids)[number];
  readonly version: (typeof versions)[number];
};
const steps: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom('add', 'add', 'add', 'unlist', 'relist', 'purge'),
  id: fc.constantFrom(...ids),
  version: fc.constantFrom(...versions),
});

const db = openDatabase(':memory:');
const catalog = createSqlCatalog(db, () => new Date(0));
afterAll(() => db.close());

const inDatabase = (query: PackageQuery): number[] => {
  const { text, values } = pageSql('p.pk', query);
  return db
    .prepare(text)
    .pluck()
    .all(...values) as number[];
};
const countInDatabase = (query: PackageQuery): number => {
  const { text, values } = countSql(query);
  return Number(
    db
      .prepare(text)
      .pluck()
      .get(...values),
  );
};

async function readySearch(): Promise<NewestSearch> {
  const newest = createNewestSearch(createNewestTexts(db.prepare, catalog.revisions as SqlRevisions));
  const query = { ...fc.sample(queries, 1)[0], search: ['x'] } as PackageQuery;
  while (newest.find(query) === undefined) await sleep(1);
  return newest;
}

describe('a search over the texts in memory', () => {
  it('finds what the database finds, whatever changed before', async () => {
    const newest = await readySearch();
    let added = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(steps, { maxLength: 5 }),
        fc.array(queries, { minLength: 8, maxLength: 8 }),
        async (all, asked) => {
          for (const { what, id, version } of all) {
            added += 1;
            const pkg = makePackage({
              id,
              version,
              title: added % 2 === 0 ? 'ein Ä 😀' : 'GO',
              tags: ['Lint'],
            });
            if (what === 'add') await catalog.add(pkg, operator);
            else if (what === 'purge') {
              // A purged version never comes back.
              if (added % 40 === 0) await catalog.purge(id, version, operator, 'a test');
            } else await catalog.setListed(id, version, what === 'relist', operator);
          }
          for (const query of asked) {
            expect(newest.find(query)?.keys).toEqual(inDatabase(query));
            expect(newest.find(query, true)?.total).toBe(countInDatabase(query));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('knows whether a page is what it was, but for counts or with them', async () => {
    await readySearch();
    const shown = async (query: PackageQuery, withCounts: boolean) => {
      const rows = (await catalog.query(query)).map(({ downloads, versionDownloads, ...row }) => ({
        ...row,
        ...(withCounts && { downloads, versionDownloads }),
      }));
      return JSON.stringify([await catalog.count(query), rows]);
    };
    const now = () => catalog.revisions.known()?.all() ?? 0;
    const changes = fc.tuple(
      fc.constantFrom('add', 'unlist', 'relist', 'download', 'nothing'),
      fc.constantFrom(...ids),
      fc.constantFrom(...versions),
    );
    let kept = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(changes, { maxLength: 2 }),
        fc.array(queries, { minLength: 8, maxLength: 8 }),
        async (all, asked) => {
          const since = now();
          const before = [];
          for (const query of asked) {
            const isUnchanged = catalog.watch(query, true);
            before.push({
              query,
              isUnchanged,
              whole: await shown(query, true),
              packages: await shown(query, false),
            });
          }
          for (const [what, id, version] of all) {
            if (what === 'add') await catalog.add(makePackage({ id, version }), operator);
            else if (what === 'download') {
              catalog.countDownload(id, version);
              await catalog.flush();
            } else if (what !== 'nothing') await catalog.setListed(id, version, what === 'relist', operator);
          }
          for (const { query, isUnchanged, whole, packages } of before) {
            if (isUnchanged?.('packages', since)) expect(await shown(query, false)).toBe(packages);
            if (isUnchanged?.('all', since)) expect(await shown(query, true)).toBe(whole);
            if (now() === since) expect(isUnchanged?.('all', since)).toBe(true);
            else if (isUnchanged?.('all', since)) kept += 1;
          }
        },
      ),
      { numRuns: 150 },
    );
    expect(kept).toBeGreaterThan(0);
  });

  it('continues after the last row of the page before', async () => {
    for (const id of ids)
      for (const version of versions) await catalog.add(makePackage({ id, version }), operator);
    const newest = await readySearch();
    await fc.assert(
      fc.asyncProperty(queries, fc.integer({ min: 1, max: 3 }), async (query, take) => {
        const whole = newest.find({ ...query, skip: 0, take: 1000 })?.keys;
        const seen: number[] = [];
        let after: PackageQuery['after'];
        for (;;) {
          const page = newest.find({ ...query, skip: 0, take, ...(after && { after }) })?.keys ?? [];
          seen.push(...page);
          if (page.length < take) break;
          const last = db
            .prepare('SELECT i.id, p.version FROM packages p JOIN ids i USING (id_key) WHERE p.pk = ?')
            .get(page.at(-1) ?? 0) as { id: string; version: string };
          after = last;
        }
        expect(seen).toEqual(whole);
      }),
      { numRuns: 100 },
    );
  });

  it.each<[string, Partial<PackageQuery>]>([
    ['for an id', { id: 'go' }],
    ['without words', { search: [] }],
    ['by another order', { orderBy: [{ by: 'Id', descending: true }] }],
    [
      'by two orders',
      {
        orderBy: [
          { by: 'Id', descending: false },
          { by: 'Title', descending: false },
        ],
      },
    ],
    ['for a type', { packageTypes: ['Dependency'] }],
    ['with ids that come first', { idsFirst: 'g' }],
    ['in all versions', { where: { kind: 'boolean', value: true } }],
    ['in what is no latest version', { where: { kind: 'not', operand: property('IsLatestVersion') } }],
    ['for half a character', { search: ['\ud83d'] }],
    ['for a word that takes long to look for', { search: [`${'a'.repeat(100)}b${'a'.repeat(101)}`] }],
  ])('leaves a query %s to the database', async (_, parts) => {
    const newest = await readySearch();
    const query: PackageQuery = {
      view: 'semver2',
      search: ['go'],
      where: property('IsLatestVersion'),
      includeUnlisted: false,
      includePrerelease: false,
      orderBy: [],
      skip: 0,
      take: 10,
    };
    expect(newest.find(query)).toBeDefined();
    expect(newest.find({ ...query, ...parts })).toBeUndefined();
    expect(newest.find({ ...query, ...parts }, true)).toBeUndefined();
  });
});
