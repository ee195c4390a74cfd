import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operator } from '../../../../server/audit/audit.ts';
import type { PackageRow } from '../../../../server/catalog/catalog.ts';
import { type PackageQuery, queryProperties } from '../../../../server/catalog/query.ts';
import { createSqlCatalog } from '../../../../server/catalog/sql/catalog.ts';
import { openDatabase } from '../../../../server/database/connection.ts';
import { everything } from '../../../contract/catalog.ts';
import { makePackage } from '../../../kit/new-package.ts';

const db = openDatabase(':memory:');
let minute = 0;
const catalog = createSqlCatalog(db, () => new Date(Date.UTC(2026, 1, 1, 0, minute)));
beforeAll(async () => {
  for (const [at, id] of ['a', 'B', 'b.c', 'c', 'd'].entries()) {
    for (const version of ['1.0.0', '1.0.1-beta', '2.0.0', '10.0.0', '10.0.1-rc.1']) {
      minute += at % 2;
      const title = at % 3 === 0 ? undefined : `Title ${minute % 4}`;
      const parts = { id, version, tags: at === 2 ? ['b'] : [] };
      await catalog.add(
        makePackage({ ...parts, ...(title !== undefined && { title }) }, new Date(minute)),
        operator,
      );
    }
  }
  await catalog.setListed('c', '2.0.0', false, operator);
});
afterAll(() => db.close());

const name = (row: PackageRow) => `${row.id} ${row.version}`;

async function walk(query: PackageQuery, size: number): Promise<string[]> {
  const seen: PackageRow[] = [];
  for (;;) {
    const last = seen.at(-1);
    const after = last && { after: { id: last.id, version: last.version } };
    const rows = await catalog.query({ ...query, ...after, skip: 0, take: size });
    seen.push(...rows);
    if (rows.length < size) return seen.map(name);
  }
}

describe('pages after a row', () => {
  it('together are the whole, whatever the order and the size', async () => {
    const order = fc.record({ by: fc.constantFrom(...queryProperties), descending: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(order, { maxLength: 3 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom<Partial<PackageQuery>>({}, { search: ['b'] }, { id: 'B' }, { view: 'semver1' }),
        async (orderBy, size, more) => {
          const query = { ...everything, ...more, orderBy };
          expect(await walk(query, size)).toEqual((await catalog.query(query)).map(name));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('show nothing twice and leave nothing out when packages are added meanwhile', async () => {
    const first = await catalog.query({ ...everything, take: 8 });
    await catalog.add(makePackage({ id: 'a', version: '99.0.0' }), operator);
    const last = first.at(-1);
    const after = { id: last?.id ?? '', version: last?.version ?? '' };
    const rest = await catalog.query({ ...everything, after });

    const all = (await catalog.query(everything)).map(name).filter((one) => one !== 'a 99.0.0');
    expect([...first, ...rest].map(name)).toEqual(all);
  });

  it.each([
    ['of no package', { id: 'none', version: '1.0.0' }, {}],
    ['of no version', { id: 'a', version: 'x' }, {}],
    ['of another id than the one asked for', { id: 'a', version: '1.0.0' }, { id: 'b' }],
  ])('%s are refused', async (_what, after, more) => {
    await expect(catalog.query({ ...everything, ...more, after })).rejects.toMatchObject({
      code: 'QUERY_INVALID',
    });
  });
});
