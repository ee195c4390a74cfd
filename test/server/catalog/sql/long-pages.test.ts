import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { operator } from '../../../../server/audit/audit.ts';
import type { PackageRow } from '../../../../server/catalog/catalog.ts';
import { type PackageQuery, queryProperties } from '../../../../server/catalog/query.ts';
import { createSqlCatalog } from '../../../../server/catalog/sql/catalog.ts';
import { openDatabase } from '../../../../server/database/connection.ts';
import { everything } from '../../../contract/catalog.ts';
import { makePackage } from '../../../kit/new-package.ts';

const db = openDatabase(':memory:');
const catalog = createSqlCatalog(db, () => new Date(0));
/** Without any held version it shows the same, and always reads a page at once. */
const twin = catalog.withHeld([]);
const ids = ['a', 'B', 'b.c', 'c'];
const perId = 350;
const versionOf = (at: number) => `1.${at}.0${at % 5 === 0 ? '-beta.1' : ''}`;

beforeAll(async () => {
  const adding = ids.flatMap((id, n) =>
    Array.from({ length: perId }, (_, at) => {
      const title = at % 3 === 0 ? {} : { title: `Title ${at % 7}` };
      const pkg = makePackage({ id, version: versionOf(at), ...title }, new Date(at * (n % 2)));
      return catalog.add({ ...pkg, isListed: at % 4 !== 0 }, operator);
    }),
  );
  await Promise.all(adding);
});
afterAll(() => db.close());

/** The nuspecs of later rows are read when somebody asks for them. */
const shown = (rows: readonly PackageRow[]): string[] => rows.map((row) => JSON.stringify(row));

const queries: fc.Arbitrary<PackageQuery> = fc.record({
  view: fc.constantFrom('semver1' as const, 'semver2' as const),
  where: fc.constantFrom(
    { kind: 'boolean', value: true } as const,
    { kind: 'property', name: 'Listed' } as const,
    { kind: 'not', operand: { kind: 'property', name: 'IsPrerelease' } } as const,
  ),
  includeUnlisted: fc.boolean(),
  includePrerelease: fc.boolean(),
  orderBy: fc.array(fc.record({ by: fc.constantFrom(...queryProperties), descending: fc.boolean() }), {
    maxLength: 2,
  }),
  skip: fc.nat(600),
  take: fc.integer({ min: 501, max: ids.length * perId + 10 }),
});
const places = fc.option(
  fc.record({ id: fc.constantFrom(...ids), version: fc.nat(perId - 1).map(versionOf) }),
);

describe('a page that is read in parts', () => {
  it('has the rows of one that is read at once', async () => {
    await fc.assert(
      fc.asyncProperty(queries, places, async (asked, after) => {
        const query = after === null ? asked : { ...asked, after };
        expect(shown(await catalog.query(query))).toEqual(shown(await twin.query(query)));
      }),
      { numRuns: 30 },
    );
  });

  it('shows one state of the packages, whatever changes while it is read', async () => {
    const changes = fc.record({
      what: fc.constantFrom('unlist', 'relist', 'purge', 'add'),
      id: fc.constantFrom(...ids),
      at: fc.nat(perId - 1),
    });
    const all: PackageQuery = { ...everything, take: 10_000 };
    const said = ({ id, version, isListed, isLatest, isAbsoluteLatest }: PackageRow): string =>
      [id, version, ...[isListed, isLatest, isAbsoluteLatest].map(Number)].join(' ');
    // In one step of its own, whatever the clock says.
    const state = (): string =>
      db
        .prepare(
          `SELECT concat_ws(' ', i.id, p.version, p.is_listed, p.latest_semver2, p.newest_semver2)
            FROM packages p JOIN ids i USING (id_key) ORDER BY p.id_key, p.version_key DESC`,
        )
        .pluck()
        .all()
        .join();
    let added = 0;
    const clock = vi.spyOn(performance, 'now');
    await fc
      .assert(
        fc.asyncProperty(fc.array(changes, { minLength: 2, maxLength: 4 }), async (steps) => {
          const states = [state()];
          // Each part takes long by this clock, so that others come in between.
          let time = 0;
          clock.mockImplementation(() => (time += 10));
          const reading = catalog.query(all).then((rows) => rows.map(said).join());
          for (const { what, id, at } of steps) {
            await nextTurn();
            const version = versionOf(at);
            if (what === 'purge') await catalog.purge(id, version, operator, 'a test');
            else if (what === 'add') {
              added += 1;
              await catalog.add(makePackage({ id, version: `2.${added}.0` }), operator);
            } else await catalog.setListed(id, version, what === 'relist', operator);
            states.push(state());
          }
          expect(states.includes(await reading)).toBe(true);
        }),
        { numRuns: 40 },
      )
      .finally(() => clock.mockRestore());
  });
});
