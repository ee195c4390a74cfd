import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Catalog } from '../../../../server/catalog/catalog.ts';
import type { Expression } from '../../../../server/catalog/query.ts';
import { createSqlCatalog } from '../../../../server/catalog/sql/catalog.ts';
import { filterSql } from '../../../../server/catalog/sql/filter.ts';
import { type Connection, openDatabase } from '../../../../server/database/connection.ts';
import { everything } from '../../../contract/catalog.ts';
import { call, compare, describeFilters, fillForFilters, property } from '../../../contract/filters.ts';

describeFilters(
  'SQLite',
  async () => {
    const db = openDatabase(':memory:');
    return { catalog: createSqlCatalog(db, () => new Date('2026-02-01T00:00:00Z')), close: db.close };
  },
  2000,
);

describe('a filter in SQL', () => {
  let db: Connection;
  let catalog: Catalog;
  beforeAll(async () => {
    db = openDatabase(':memory:');
    catalog = createSqlCatalog(db, () => new Date('2026-02-01T00:00:00Z'));
    await fillForFilters(catalog);
  });
  afterAll(() => db.close());

  it.each<[string, Expression]>([
    ['a text as a condition', { kind: 'text', value: 'x' }],
    ['a number as a condition', { kind: 'number', value: 1 }],
    ['a function of a number', call('tolower', { kind: 'number', value: 1 })],
    ['too few arguments', call('substringof', { kind: 'text', value: 'x' })],
    ['too many arguments', call('tolower', property('Id'), property('Id'))],
    ['a text beside a number', compare(property('Id'), 'eq', { kind: 'number', value: 1 })],
    ['a date beside a text', compare(property('Created'), 'gt', { kind: 'text', value: '2026-01-01' })],
    ['an order of booleans', compare(property('Listed'), 'gt', { kind: 'boolean', value: false })],
    ['what is no date', compare(property('Created'), 'gt', { kind: 'date', value: 'yesterday' })],
    [
      'a pit',
      Array.from({ length: 400 }).reduce<Expression>(
        (operand) => ({ kind: 'not', operand }),
        property('Listed'),
      ),
    ],
  ])('refuses %s', (_what, where) => {
    expect(() => filterSql(where, 'semver2')).toThrow(expect.objectContaining({ code: 'QUERY_INVALID' }));
  });

  it('puts no text of a client into the SQL', () => {
    const hostile = `'); DROP TABLE packages; --"\``;

    const { text, values } = filterSql(
      compare(property('Title'), 'eq', { kind: 'text', value: hostile }),
      'semver2',
    );

    expect(text).toBe('t.title = ?');
    expect(values).toEqual([hostile]);
  });

  it('survives a filter as long as an address may be', async () => {
    const part = call('substringof', { kind: 'text', value: 'a' }, property('Id'));
    const where = Array.from({ length: 250 }).reduce<Expression>(
      (left) => ({ kind: 'or', left, right: part }),
      part,
    );

    expect(await catalog.count({ ...everything, where })).toBeGreaterThan(0);
  });
});
