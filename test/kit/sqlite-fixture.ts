import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createSqlClientLinks } from '../../server/bucket/sql-client-links.ts';
import { createSqlBucketEvents } from '../../server/bucket/sql-events.ts';
import { addPendingCommit, createSqlPendingCommits } from '../../server/bucket/sql-pending-commits.ts';
import { createSqlSharedHistory } from '../../server/bucket/sql-shared-history.ts';
import { createSqlCatalog } from '../../server/catalog/sql/catalog.ts';
import { createSqlHeldManifests } from '../../server/catalog/sql/held-manifests.ts';
import { createSqlPayloads } from '../../server/catalog/sql/payloads.ts';
import { createSqlClients } from '../../server/clients/sql-clients.ts';
import { createSqlRings } from '../../server/clients/sql-rings.ts';
import { type Connection, openDatabase } from '../../server/database/connection.ts';
import { createSqlAudit } from '../../server/database/sql-audit.ts';
import { createSqlDownloads } from '../../server/database/sql-downloads.ts';
import type { Approvals } from '../../server/feed/approvals.ts';
import { createSqlKeys } from '../../server/keys/sql-keys.ts';
import { createSqlRollouts } from '../../server/rollout/sql-rollouts.ts';
import { openRollouts } from '../../server/rollout-services.ts';
import type { DatabaseFixture, FeedFixture } from '../contract/database.ts';
import { makeTempDir } from './test-server.ts';

function openFeed(db: Connection, now: () => Date, approvals: Approvals): FeedFixture {
  const catalog = createSqlCatalog(db, now);
  return { catalog, ...openRollouts(db, { catalog, approvals, now }) };
}

export async function openSqliteFixture(): Promise<DatabaseFixture> {
  const dir = await makeTempDir();
  const file = join(dir, 'catalog.db');
  let db = openDatabase(file);
  const fixture: DatabaseFixture = {
    time: new Date('2026-01-01T00:00:00Z'),
    keys: (adminApiKey) => createSqlKeys(db, { now, adminApiKey }),
    payloads: () => createSqlPayloads(db),
    heldManifests: () => createSqlHeldManifests(db),
    audit: () => createSqlAudit(db, now),
    rings: () => createSqlRings(db, now),
    clients: (limits) => createSqlClients(db, now, limits),
    rollouts: (approvalsNeeded = 0) => createSqlRollouts(db, { now, approvalsNeeded: () => approvalsNeeded }),
    feed: (approvals = []) => openFeed(db, now, approvals),
    downloads: (limits) => createSqlDownloads(db, now, limits),
    bucketEvents: () => createSqlBucketEvents(db, now),
    clientLinks: () => createSqlClientLinks(db),
    sharedHistory: () => createSqlSharedHistory(db, now),
    pendingCommits: () => createSqlPendingCommits(db),
    addPendingCommit: (commit) => db.transact(({ prepare }) => addPendingCommit(prepare, commit)),
    async reopen() {
      db.close();
      db = openDatabase(file);
    },
    async close() {
      db.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
  const now = (): Date => fixture.time;
  return fixture;
}
