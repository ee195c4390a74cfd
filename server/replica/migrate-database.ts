import { openDatabase } from '../database/connection.ts';
import { migrations } from '../database/migrations.ts';
import { openPostgres } from './postgres.ts';
import { type MigrateOptions, type Migration, migrate, type Schema } from './schema.ts';
import { sharedTables } from './tables.ts';

/** What a database has in common with this program, and what was done about the rest. */
export type MigratedDatabase = Migration & {
  /** For people: without user and password. */
  readonly database: string;
  /** The schema of this program. */
  readonly known: number;
};

/** Brings a database to the schema of this program, or says what would be done. @throws those of `migrate` and DATABASE_REFUSED */
export async function migrateDatabase(url: string, options: MigrateOptions): Promise<MigratedDatabase> {
  const schema = newestSchema();
  const postgres = await openPostgres(url);
  const session = await postgres.connect();
  try {
    const migration = await migrate(postgres, session, schema, options);
    return { ...migration, database: postgres.name, known: schema.number };
  } finally {
    session.close();
  }
}

/** PostgreSQL has the tables that SQLite has. */
export function newestSchema(): Schema {
  const database = openDatabase(':memory:');
  try {
    return { number: migrations.length, tables: sharedTables(database.prepare) };
  } finally {
    database.close();
  }
}
