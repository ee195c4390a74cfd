import { describe, expect, it } from 'vitest';
import { costOf, maxPasses } from '../../../server/catalog/cost.ts';
import {
  type Expression,
  type FunctionName,
  functionNames,
  type PackageQuery,
  type QueryProperty,
  queryProperties,
} from '../../../server/catalog/query.ts';
import { FeedError } from '../../../server/errors.ts';
import { parseFilter } from '../../../server/odata/filter.ts';
import { readOptions } from '../../../server/odata/options.ts';
import { parseParameters } from '../../../server/odata/parameters.ts';
import { selectionOf } from '../../../server/odata/query.ts';
import { everything } from '../../contract/catalog.ts';
import questions from '../../wire/questions.json' with { type: 'json' };

const longProperties = ['Summary', 'Description', 'Tags', 'Authors', 'Dependencies'] as const;

function cost(query: Partial<PackageQuery>) {
  return costOf({ ...everything, ...query });
}
function refusal(query: Partial<PackageQuery>): string {
  try {
    cost(query);
    return 'none';
  } catch (error) {
    return error instanceof FeedError ? `${error.status} ${error.code}` : String(error);
  }
}
const property = (name: QueryProperty): Expression => ({ kind: 'property', name });
const text = (value: string): Expression => ({ kind: 'text', value });
function call(name: FunctionName, ...args: Expression[]): Expression {
  return { kind: 'call', name, args };
}
const and = (parts: readonly Expression[]): Expression =>
  parts.reduce((left, right) => ({ kind: 'and', left, right }));
/** The function with the text where it walks it, as a condition. */
function conditionOn(name: FunctionName, value: Expression): Expression {
  switch (name) {
    case 'substringof':
      return call(name, text('x'), value);
    case 'startswith':
    case 'endswith':
      return call(name, value, text('x'));
    case 'length':
      return equal(call(name, value), { kind: 'number', value: 1 });
    case 'indexof':
      return equal(call(name, value, text('x')), { kind: 'number', value: 1 });
    case 'concat':
      return equal(call(name, value, text('x')), text('x'));
    default:
      return equal(call(name, value), text('x'));
  }
}
function equal(left: Expression, right: Expression): Expression {
  return { kind: 'compare', operator: 'eq', left, right };
}

describe('the cost of a query', () => {
  it.each(functionNames.flatMap((name) => longProperties.map((by) => [name, by] as const)))(
    'counts %s of %s for each call, and refuses too many',
    (name, by) => {
      const once = conditionOn(name, property(by));

      expect(cost({ where: once }).passes).toBeGreaterThanOrEqual(1);
      expect(cost({ where: and([once, once]) }).passes).toBeCloseTo(2 * cost({ where: once }).passes);
      expect(refusal({ where: and(Array.from({ length: maxPasses + 1 }, () => once)) })).toBe(
        '400 QUERY_TOO_COSTLY',
      );
    },
  );

  it.each(longProperties)('limits the text built from %s', (by) => {
    const doubled = (depth: number): Expression =>
      depth === 0 ? property(by) : call('concat', doubled(depth - 1), doubled(depth - 1));
    expect(refusal({ where: equal(doubled(2), text('x')) })).toBe('none');
    expect(refusal({ where: equal(doubled(3), text('x')) })).toBe('400 QUERY_TOO_COSTLY');
    for (const name of ['tolower', 'toupper', 'trim'] as const)
      expect(refusal({ where: equal(call(name, doubled(3)), text('x')) })).toBe('400 QUERY_TOO_COSTLY');
  });

  it('refuses a deep concat of short texts, too, and a literal again and again', () => {
    for (const part of [property('Title'), text('x'.repeat(1000)), property('Id')]) {
      const deep = Array.from({ length: 200 }).reduce<Expression>((left) => call('concat', left, part), part);
      expect(refusal({ where: equal(deep, text('x')) })).toBe('400 QUERY_TOO_COSTLY');
    }
  });

  it('refuses to search for a long text at each place of another', () => {
    for (const name of ['substringof', 'startswith'] as const) {
      const long = call('concat', property('Description'), property('Summary'));
      expect(refusal({ where: call(name, long, long) })).toBe('400 QUERY_TOO_COSTLY');
    }
    expect(refusal({ where: call('substringof', text('x'.repeat(2000)), property('Description')) })).toBe(
      'none',
    );
  });

  it('counts the order, the words of a search and conditions that are compared', () => {
    const orderBy = queryProperties.map((by) => ({ by, descending: false }));
    expect(refusal({ orderBy })).toBe('none');
    expect(cost({ orderBy }).passes).toBeGreaterThanOrEqual(5 * 8);
    expect(cost({ orderBy: [{ by: 'Id', descending: false }] }).passes).toBeLessThan(1);
    expect(refusal({ search: Array.from({ length: 30 }, () => 'word') })).toBe('none');
    expect(refusal({ search: Array.from({ length: 30 }, () => 'word'.repeat(100)) })).toBe(
      '400 QUERY_TOO_COSTLY',
    );
    const predicate = call('substringof', text('x'), property('Description'));
    const compared = equal(predicate, { kind: 'not', operand: predicate });
    expect(cost({ where: compared }).passes).toBeCloseTo(2 * cost({ where: predicate }).passes);
  });

  it('refuses the nested concat of a description with itself that stopped a server for 17 seconds', () => {
    const nested = Array.from({ length: 45 }).reduce<string>(
      (inner) => `concat(Description,${inner})`,
      'Description',
    );
    expect(refusal({ where: parseFilter(`length(${nested}) gt 1`) })).toBe('400 QUERY_TOO_COSTLY');
  });

  it('allows what clients ask', () => {
    const refused = questions.filter(({ filter = '', orderBy = '', searchTerm = '', q = '' }) => {
      const parts = { $filter: filter, $orderby: orderBy, searchTerm: searchTerm || `'${q}'` };
      const query = Object.entries(parts).flatMap(([name, value]) =>
        value === '' ? [] : [`${name}=${encodeURIComponent(value)}`],
      );
      const parameters = parseParameters(query.join('&'));
      try {
        const { passes } = cost(selectionOf('Search', readOptions(parameters), parameters));
        return passes > maxPasses / 5;
      } catch (error) {
        // Some are malformed by the client itself: an apostrophe in what was typed.
        return !(error instanceof FeedError && error.code === 'QUERY_INVALID' && /o'brien/.test(filter));
      }
    });
    expect(refused).toEqual([]);
    expect(questions.length).toBeGreaterThan(50);
  });

  it('allows searches that are longer than any that was recorded', () => {
    const fields = ['Id', 'Title', 'Description', 'Summary', 'Tags', 'Authors'];
    const anywhere = fields.map((name) => `substringof('word',tolower(${name}))`).join(' or ');
    expect(refusal({ where: parseFilter(anywhere) })).toBe('none');
    const tags = Array.from({ length: 30 }, (_, n) => `substringof('t${n}',Tags) eq true`).join(' and ');
    expect(refusal({ where: parseFilter(tags) })).toBe('none');
  });
});
