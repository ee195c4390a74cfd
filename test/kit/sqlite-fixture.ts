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
import { createSqlRefusals } from '../../server/database/sql-refusals.ts';
import type { Approvals } from '../../server/feed/approvals.ts';
import { createSqlKeys } from '../../server/keys/sql-keys.ts';
import { createSqlRollouts } from '../../server/rollout/sql-rollouts.ts';
import { openRollouts } from '../../server/rollout-services.ts';
import { createSqlTrust } from '../../server/trust/sql-trust.ts';
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
  return Object.assign(
    portsOver(() => db),
    {
      async reopen() {
        db.close();
        db = openDatabase(file);
      },
      async close() {
        db.close();
        await rm(dir, { recursive: true, force: true });
      },
    },
  );
}

/** All ports over a connection, with a clock of their own. */
export function portsOver(connection: () => Connection): Omit<DatabaseFixture, 'reopen' | 'close'> {
  const fixture: Omit<DatabaseFixture, 'reopen' | 'close'> = {
    time: new Date('2026-01-01T00:00:00Z'),
    keys: (adminApiKey) => createSqlKeys(connection(), { now, adminApiKey }),
    trust: () => createSqlTrust(connection(), now),
    payloads: () => createSqlPayloads(connection()),
    heldManifests: () => createSqlHeldManifests(connection()),
    audit: () => createSqlAudit(connection(), now),
    rings: () => createSqlRings(connection(), now),
    clients: (limits) => createSqlClients(connection(), now, limits),
    rollouts: (approvalsNeeded = 0) =>
      createSqlRollouts(connection(), { now, approvalsNeeded: () => approvalsNeeded }),
    feed: (approvals = []) => openFeed(connection(), now, approvals),
    downloads: (limits) => createSqlDownloads(connection(), now, limits),
    refusals: (limits) => createSqlRefusals(connection(), now, limits),
    bucketEvents: () => createSqlBucketEvents(connection(), now),
    clientLinks: () => createSqlClientLinks(connection()),
    sharedHistory: () => createSqlSharedHistory(connection(), now),
    pendingCommits: () => createSqlPendingCommits(connection()),
    addPendingCommit: (commit) => connection().transact(({ prepare }) => addPendingCommit(prepare, commit)),
  };
  const now = (): Date => fixture.time;
  return fixture;
}
