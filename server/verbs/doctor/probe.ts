import type { Config } from '../../config.ts';
import { pathsIn } from '../../data-dir.ts';

/** What checks read in the database, whether or not a server uses it. */
type Probe = {
  /** Whether a test alert with this mark is remembered. */
  hasAlert(mark: string): boolean | Promise<boolean>;
  /** When the last `feed:backup` was; undefined: never, as far as the database knows. */
  lastBackup(): Date | undefined | Promise<Date | undefined>;
  close(): void;
};

/** @throws FeedError NO_FEED, CATALOG_DAMAGED, DATABASE_UNREACHABLE, DATABASE_REFUSED */
export async function openProbe({
  databaseUrl,
  dataDir,
}: Pick<Config, 'databaseUrl' | 'dataDir'>): Promise<Probe> {
  // Loaded only where they are needed: they bring the drivers with them.
  return databaseUrl === undefined
    ? (await import('../../database/probe.ts')).openSqliteProbe(pathsIn(dataDir).database)
    : (await import('../../replica/probe.ts')).openPostgresProbe(databaseUrl);
}
