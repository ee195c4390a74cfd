import type Database from 'better-sqlite3';

export type SqlValue = string | number | bigint | Buffer | null;
export type Prepare = (sql: string) => Database.Statement<SqlValue[]>;

/** Clients' filters pass their texts as parameters, but can have any number of shapes. */
const maxStatements = 500;

/** Prepares each text once and keeps the most recently used statements. */
export function createStatements(db: Pick<Database.Database, 'prepare'>): Prepare {
  const kept = new Map<string, Database.Statement<SqlValue[]>>();
  return function prepare(sql) {
    const statement = kept.get(sql) ?? db.prepare<SqlValue[]>(sql);
    kept.delete(sql);
    kept.set(sql, statement);
    const oldest = kept.size > maxStatements ? kept.keys().next().value : undefined;
    if (oldest !== undefined) kept.delete(oldest);
    return statement;
  };
}
