import { raw, type Sql, sql } from '../../database/sql.ts';
import type { Grant } from '../held.ts';
import { flagColumns } from './latest.ts';
import { heldColumns, packageKey } from './rows.ts';

/** Held versions among the packages of their ids; packages of other ids are as everybody sees them. */
export type HeldView = {
  /** Whose packages differ, in lower case. */
  readonly ids: readonly string[];
  /**
   * Begins a query of `packages` that has those of these ids alone, held versions among them. A table of a WITH clause hides the
   * database's own of the same name, so that one text of a query serves both.
   */
  withPackages(query: Sql): Sql;
};

export function heldView(grants: readonly Grant[]): HeldView {
  const keys = grants.flatMap(({ id, version, isListed }) => {
    const key = packageKey(id, version);
    return key ? [[key.idKey, key.versionKey, Number(isListed)] as const] : [];
  });
  const ids = [...new Set(keys.map(([idKey]) => idKey))];
  const packages = sql`SELECT ${raw(columnsOf('p'))}, p.is_listed
      FROM json_each(${JSON.stringify(ids)}) asked CROSS JOIN main.packages p ON p.id_key = asked.value
    UNION ALL
    SELECT ${raw(columnsOf('h'))}, granted.value ->> 2
      FROM json_each(${JSON.stringify(keys)}) granted CROSS JOIN held_packages h
        ON h.id_key = granted.value ->> 0 AND h.version_key = granted.value ->> 1`;
  return {
    ids,
    withPackages: (query) => sql`WITH packages AS (
      SELECT *, ${raw(flags)} FROM (${packages}) WINDOW of_id AS (PARTITION BY id_key)) ${query}`,
  };
}

function columnsOf(table: string): string {
  return heldColumns.map((column) => `${table}.${column}`).join(', ');
}

/** The rule of `chooseLatest`, among the rows of an id. */
const flags = flagColumns
  .map(([flag, column]) => {
    const conditions = [
      'is_listed',
      ...(flag.endsWith('SemVer1') ? ['in_semver1'] : []),
      ...(flag.startsWith('latest') ? ['NOT is_prerelease'] : []),
    ];
    return `version_key IS max(iif(${conditions.join(' AND ')}, version_key, NULL)) OVER of_id AS ${column}`;
  })
  .join(', ');
