import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Audit } from './audit/audit.ts';
import type { Refusals } from './audit/refusals.ts';
import type { Config } from './config.ts';
import { pathsIn } from './data-dir.ts';
import type { Connection } from './database/connection.ts';
import { readBeside } from './database/copies.ts';
import { createSqlAudit } from './database/sql-audit.ts';
import { createSqlRefusals } from './database/sql-refusals.ts';
import { fail } from './errors.ts';
import { createLogger } from './log.ts';

export type AuditReads = {
  readonly audit: Pick<Audit, 'list' | 'head'>;
  readonly refusals: Pick<Refusals, 'list'>;
};

/** Audit log and refusals as they are at each reading, whether or not servers run, start or stop meanwhile. */
export type AuditReading = {
  /** @throws FeedError NO_FEED, CATALOG_DAMAGED; with DATABASE_URL DATABASE_UNREACHABLE and the like */
  read<T>(work: (reads: AuditReads) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

/** The composition root for verbs that watch. @throws FeedError NO_FEED; with DATABASE_URL those of `openReplica`, DATABASE_EMPTY */
export async function openAuditReading({
  dataDir,
  databaseUrl,
}: Pick<Config, 'dataDir' | 'databaseUrl'>): Promise<AuditReading> {
  if (databaseUrl !== undefined) return openShared(databaseUrl);
  const { database } = pathsIn(dataDir);
  if (!existsSync(database)) fail('NO_FEED', { file: database, cause: 'it is not there' });
  return {
    // Opened each time: a restore puts another file there.
    read: (work) => readBeside(database, (db) => work(readsOf(db))),
    close: async () => undefined,
  };
}

async function openShared(databaseUrl: string): Promise<AuditReading> {
  // Loaded only where they are needed: they bring the driver with them.
  const [{ openReplica }, { requireFeed }] = await Promise.all([
    import('./replica/replica.ts'),
    import('./replica/require-feed.ts'),
  ]);
  await requireFeed(databaseUrl);
  const dir = await mkdtemp(join(tmpdir(), 'go-win-tools-copy-'));
  const remove = () => rm(dir, { recursive: true, force: true, maxRetries: 3 });
  try {
    const replica = await openReplica(databaseUrl, join(dir, 'catalog.db'), createLogger('error'));
    const reads = readsOf(replica.database);
    return {
      async read(work) {
        await replica.catchUp();
        return work(reads);
      },
      async close() {
        replica.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function readsOf(db: Connection): AuditReads {
  const now = () => new Date();
  const hasRefusals = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'refusals'").get() !== undefined;
  // A database that an older server left has none.
  const refusals = hasRefusals ? createSqlRefusals(db, now) : { list: async () => [] };
  return { audit: createSqlAudit(db, now), refusals };
}
