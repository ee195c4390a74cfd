import { blobNames } from '../catalog/sql/blob-names.ts';
import { newestSchema } from './migrate-database.ts';
import { openPostgres } from './postgres.ts';

/** A server that is connected to the database. */
export type ConnectedServer = { readonly version: string; readonly instance: string; readonly from: string };

export type PostgresProbe = {
  /** For people: without user and password. */
  readonly name: string;
  /** Its clock, in ms since 1970, and how long the answer took. */
  time(): Promise<{ readonly at: number; readonly ms: number }>;
  /** A standby, or one that was set to read only. */
  isReadOnly(): Promise<boolean>;
  /** Undefined: it has no tables of this program. */
  schema(): Promise<{ readonly found: number; readonly least: number; readonly known: number } | undefined>;
  /** Those that are connected now, once each. They name themselves in `pg_stat_activity` (postgres.ts). */
  servers(): Promise<readonly ConnectedServer[]>;
  /** Whether a test alert with this mark is remembered. */
  hasAlert(mark: string): Promise<boolean>;
  /** When the last backup was; undefined also where the schema is older than that note. */
  lastBackup(): Promise<Date | undefined>;
  /** SHA-256 of the newest of each kind of blob, so many of each. */
  newestBlobs(count: number): Promise<readonly string[]>;
  close(): void;
};

/** Looks at a database, and changes nothing. @throws FeedError DATABASE_UNREACHABLE, DATABASE_REFUSED */
export async function openPostgresProbe(url: string): Promise<PostgresProbe> {
  const postgres = await openPostgres(url);
  const session = await postgres.connect();
  return {
    name: postgres.name,
    async time() {
      const before = performance.now();
      const [[seconds] = []] = await session.query('SELECT extract(epoch FROM clock_timestamp())::float8');
      return { at: Number(seconds) * 1000, ms: performance.now() - before };
    },
    async isReadOnly() {
      const sql = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean";
      const [[isReadOnly] = []] = await session.query(sql);
      return isReadOnly === true;
    },
    async schema() {
      const [[table] = []] = await session.query("SELECT to_regclass('replica_state')::text");
      if (table === null || table === undefined) return undefined;
      const [[found, least] = []] = await session.query('SELECT schema, min_schema FROM replica_state');
      return { found: Number(found), least: Number(least), known: newestSchema().number };
    },
    async servers() {
      const rows = await session.query(
        `SELECT DISTINCT application_name, coalesce(host(client_addr), 'this machine') FROM pg_stat_activity
          WHERE datname = current_database() AND application_name LIKE 'go-win-tools/% serve %' ORDER BY 2, 1`,
      );
      return rows.flatMap(([application, from]) => {
        const [, version, instance] = /^go-win-tools\/(\S+) serve (\S+)$/.exec(String(application)) ?? [];
        return version === undefined || instance === undefined
          ? []
          : [{ version, instance, from: String(from) }];
      });
    },
    async hasAlert(mark) {
      const sql = 'SELECT 1 FROM firing_alerts WHERE strpos(labels, $1) > 0 LIMIT 1';
      return (await session.query(sql, [mark])).length > 0;
    },
    async lastBackup() {
      const [[table] = []] = await session.query("SELECT to_regclass('last_backup')::text");
      if (table === null || table === undefined) return undefined;
      const [[at] = []] = await session.query('SELECT at FROM last_backup');
      return at === undefined ? undefined : new Date(Number(at));
    },
    async newestBlobs(count) {
      const newest = blobNames.map(
        ({ table, column, key = column }) =>
          `(SELECT ${column} FROM ${table} WHERE ${column} IS NOT NULL ORDER BY ${key} DESC LIMIT $1)`,
      );
      const rows = await session.query(newest.join(' UNION '), [count]);
      return rows.map(([sha256]) => String(sha256));
    },
    close: session.close,
  };
}
