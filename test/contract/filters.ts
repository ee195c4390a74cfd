import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operator } from '../../server/audit/audit.ts';
import type { Catalog, PackageRow } from '../../server/catalog/catalog.ts';
import { costOf } from '../../server/catalog/cost.ts';
import type { CompareOperator, Expression, QueryProperty } from '../../server/catalog/query.ts';
import { makePackage } from '../kit/new-package.ts';
import { evaluate } from '../server/catalog/evaluate.ts';
import { everything } from './catalog.ts';

/** What every catalog selects for a `$filter`. `open` makes an empty one. */
export function describeFilters(
  name: string,
  open: () => Promise<{ readonly catalog: Catalog; close(): unknown }>,
  runs: number,
): void {
  describe(`a filter in ${name}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    beforeAll(async () => {
      opened = await open();
      await fillForFilters(opened.catalog);
    });
    afterAll(() => opened.close());

    it('selects what a direct reading of the specification selects', async () => {
      const { catalog } = opened;
      await fc.assert(
        fc.asyncProperty(condition, fc.constantFrom('semver1', 'semver2'), async (where, view) => {
          const all = await catalog.query({ ...everything, view });
          fc.pre(isAffordable(where));

          const selected = await catalog.query({ ...everything, view, where });

          const expected = all.filter((row) => evaluate(where, row));
          expect(selected.map(nameOf)).toEqual(expected.map(nameOf));
        }),
        { numRuns: runs },
      );
    });
  });
}

const texts = [
  '',
  'a',
  'A',
  'ab',
  'Ab',
  'b',
  'Ä',
  'äb',
  ' a ',
  'a%',
  '_',
  "a'b",
  'ß',
  '1.0',
  '1.0.0',
  '2.0-b',
  '01.0',
];
const versions = ['1.0', '1.0.1-a', '2.0.0-B', '2.0.0-beta.2', '2.0.0-beta.10', '3.0.0.1', '3.0.0+meta'];

export async function fillForFilters(catalog: Catalog): Promise<void> {
  const titles = [undefined, ...texts];
  let n = 0;
  for (const id of ['a', 'Ab', 'a.B', 'b_a']) {
    for (const version of versions) {
      n += 1;
      const title = titles[n % titles.length];
      const summary = titles[(n * 5) % titles.length];
      await catalog.add(
        makePackage(
          {
            id,
            version,
            ...(title !== undefined && { title }),
            ...(summary !== undefined && { summary }),
            tags: n % 3 === 0 ? [] : ['A', 'b', 'Äb'].slice(n % 3),
            dependencies: n % 4 === 0 ? [{ id: 'a', range: '[1.0.0-a.1,)' }] : [],
          },
          new Date(Date.UTC(2026, 0, 1 + (n % 5))),
        ),
        operator,
      );
      if (n % 5 === 0) await catalog.setListed(id, version, false, operator);
      for (let count = 0; count < n % 3; count += 1) catalog.countDownload(id, version);
    }
  }
  await catalog.flush();
}

const textProperties = [
  'Id',
  'Version',
  'NormalizedVersion',
  'Title',
  'Summary',
  'Tags',
  'Authors',
  'Dependencies',
  'PackageStatus',
] as const;
const booleanProperties = [
  'IsLatestVersion',
  'IsAbsoluteLatestVersion',
  'IsPrerelease',
  'Listed',
  'IsApproved',
  'IsDownloadCacheAvailable',
] as const;
const dateProperties = ['Published', 'Created', 'LastUpdated', 'LastEdited'] as const;
const numberProperties = ['DownloadCount', 'VersionDownloadCount', 'PackageSize'] as const;

/** Well-typed expressions, as the grammar of `$filter` makes them. */
const { condition } = fc.letrec<Record<'condition' | 'text' | 'number' | 'date', Expression>>((tie) => {
  const nothing = fc.constant<Expression>({ kind: 'null' });
  const operator = fc.constantFrom<CompareOperator>('eq', 'ne', 'gt', 'ge', 'lt', 'le');
  const bool = fc.boolean().map<Expression>((value) => ({ kind: 'boolean', value }));
  const comparison = (side: fc.Arbitrary<Expression>) =>
    fc
      .tuple(
        fc.oneof({ arbitrary: side, weight: 8 }, nothing),
        operator,
        fc.oneof({ arbitrary: side, weight: 8 }, nothing),
      )
      .map(([left, op, right]) => compare(left, op, right));
  const one = (name: 'tolower' | 'toupper' | 'trim' | 'length') => tie('text').map((arg) => call(name, arg));
  const two = (name: 'substringof' | 'startswith' | 'endswith' | 'indexof' | 'concat') =>
    fc.tuple(tie('text'), tie('text')).map(([first, second]) => call(name, first, second));

  return {
    text: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(...textProperties).map(property),
      fc.constantFrom(...texts, ...versions).map<Expression>((value) => ({ kind: 'text', value })),
      nothing,
      one('tolower'),
      one('toupper'),
      one('trim'),
      two('concat'),
    ),
    number: fc.oneof(
      fc.constantFrom(...numberProperties).map(property),
      fc.integer({ min: -1, max: 20 }).map<Expression>((value) => ({ kind: 'number', value })),
      one('length'),
      two('indexof'),
    ),
    date: fc.oneof(
      fc.constantFrom(...dateProperties).map(property),
      fc
        .constantFrom('1900-01-01T00:00:00Z', '2026-01-03T00:00:00.000Z', '2026-01-02T00:00:00')
        .map<Expression>((value) => ({ kind: 'date', value: value.endsWith('Z') ? value : `${value}Z` })),
    ),
    condition: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(...booleanProperties).map(property),
      bool,
      comparison(tie('text')),
      comparison(tie('number')),
      comparison(tie('date')),
      two('substringof'),
      two('startswith'),
      two('endswith'),
      fc
        .tuple(
          tie('condition'),
          fc.constantFrom<CompareOperator>('eq', 'ne'),
          fc.oneof(tie('condition'), nothing),
        )
        .map(([left, op, right]) => compare(left, op, right)),
      tie('condition').map<Expression>((operand) => ({ kind: 'not', operand })),
      fc
        .tuple(fc.constantFrom('and', 'or'), tie('condition'), tie('condition'))
        .map<Expression>(([kind, left, right]) => ({ kind, left, right })),
    ),
  };
});

function nameOf(row: PackageRow): string {
  return `${row.id} ${row.version}`;
}

export function property(name: QueryProperty): Expression {
  return { kind: 'property', name };
}

export function call(name: Extract<Expression, { kind: 'call' }>['name'], ...args: Expression[]): Expression {
  return { kind: 'call', name, args };
}

export function compare(left: Expression, operator: CompareOperator, right: Expression): Expression {
  return { kind: 'compare', operator, left, right };
}

/** What the catalog refuses for its cost is none of these tests' business (test/server/catalog/cost.test.ts). */
function isAffordable(where: Expression): boolean {
  try {
    costOf({ ...everything, where });
    return true;
  } catch {
    return false;
  }
}
