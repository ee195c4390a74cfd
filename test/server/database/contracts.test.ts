import { describeAudit } from '../../contract/audit.ts';
import { describeBucketEvents } from '../../contract/bucket-events.ts';
import { describeClientLinks } from '../../contract/client-links.ts';
import { describeClients } from '../../contract/clients.ts';
import type { OpenFixture } from '../../contract/database.ts';
import { describeDownloads } from '../../contract/downloads.ts';
import { describeHeldManifests } from '../../contract/held-manifests.ts';
import { describeKeys } from '../../contract/keys.ts';
import { describePayloads } from '../../contract/payloads.ts';
import { describePendingCommits } from '../../contract/pending-commits.ts';
import { describeRefusals } from '../../contract/refusals.ts';
import { describeRings } from '../../contract/rings.ts';
import { describeRollouts } from '../../contract/rollouts.ts';
import { describeSharedHistory } from '../../contract/shared-history.ts';
import { describeTrust } from '../../contract/trust.ts';
import { describeViews } from '../../contract/views.ts';
import { openSqliteFixture } from '../../kit/sqlite-fixture.ts';

/** Every database that can stand behind the ports: each has to keep all of their contracts. */
const databases: Readonly<Record<string, OpenFixture>> = {
  SQLite: openSqliteFixture,
};

for (const [name, open] of Object.entries(databases)) {
  for (const describeContract of [
    describeKeys,
    describeTrust,
    describePayloads,
    describeHeldManifests,
    describeAudit,
    describeDownloads,
    describeRefusals,
    describeBucketEvents,
    describeClientLinks,
    describePendingCommits,
    describeSharedHistory,
    describeRings,
    describeClients,
    describeRollouts,
    describeViews,
  ]) {
    describeContract(name, open);
  }
}
