import { raw, type Sql, sql } from '../../database/sql.ts';
import type { SqlValue } from '../../database/statements.ts';

/** One of the values that rows are sorted by. */
export type OrderTerm = { readonly value: Sql; readonly isDescending: boolean };

/**
 * The condition that a row comes after another one with the given values, in the order of the terms. NULL sorts first, as in
 * SQLite.
 */
export function afterSql(terms: readonly OrderTerm[], anchor: readonly SqlValue[]): Sql {
  const behind = terms.reduceRight<Sql>((rest, term, at) => {
    const value = anchor[at] ?? null;
    return sql`(${isBehind(term, value)} OR (${term.value} IS ${value} AND ${rest}))`;
  }, raw('0'));
  return sql`${bound(terms[0], anchor[0] ?? null)} AND ${behind}`;
}

function isBehind({ value, isDescending }: OrderTerm, anchor: SqlValue): Sql {
  if (isDescending) return anchor === null ? raw('0') : sql`(${value} < ${anchor} OR ${value} IS NULL)`;
  return anchor === null ? sql`${value} IS NOT NULL` : sql`${value} > ${anchor}`;
}

/** Redundant, but SQLite uses an index for this and not for the OR. No column of `packages` is NULL. */
function bound(first: OrderTerm | undefined, anchor: SqlValue): Sql {
  if (first === undefined || anchor === null || !/^p\.\w+$/.test(first.value.text)) return raw('1');
  return sql`${first.value} ${raw(first.isDescending ? '<=' : '>=')} ${anchor}`;
}
