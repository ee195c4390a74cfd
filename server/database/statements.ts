import type Database from 'better-sqlite3';

export type SqlValue = string | number | bigint | Buffer | null;
export type Prepare = (sql: string) => Database.Statement<SqlValue[]>;

/** Clients' filters pass their texts as parameters, but can have any number of shapes. */
const maxStatements = 500;

/**
 * Prepares each text once and keeps those that were used lately: in two halves, since moving one to the end of a list at each use takes as
 * long as a short query.
 */
export function createStatements(db: Pick<Database.Database, 'prepare'>): Prepare {
  let recent = new Map<string, Database.Statement<SqlValue[]>>();
  let before = recent;
  return function prepare(sql) {
    const known = recent.get(sql);
    if (known !== undefined) return known;
    const statement = before.get(sql) ?? db.prepare<SqlValue[]>(sql);
    if (recent.size >= maxStatements / 2) {
      before = recent;
      recent = new Map();
    }
    recent.set(sql, statement);
    return statement;
  };
}
