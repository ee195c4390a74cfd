import { afterAll, beforeAll, describe } from 'vitest';
import { describeAudit } from '../contract/audit.ts';
import { describeBucketEvents } from '../contract/bucket-events.ts';
import { describeClientLinks } from '../contract/client-links.ts';
import { describeClients } from '../contract/clients.ts';
import type { OpenFixture } from '../contract/database.ts';
import { describeDownloads } from '../contract/downloads.ts';
import { describeHeldManifests } from '../contract/held-manifests.ts';
import { describeKeys } from '../contract/keys.ts';
import { describePayloads } from '../contract/payloads.ts';
import { describePendingCommits } from '../contract/pending-commits.ts';
import { describeRefusals } from '../contract/refusals.ts';
import { describeRings } from '../contract/rings.ts';
import { describeRollouts } from '../contract/rollouts.ts';
import { describeSharedHistory } from '../contract/shared-history.ts';
import { describeTrust } from '../contract/trust.ts';
import { describeViews } from '../contract/views.ts';
import { hasPostgres, type Postgres, startPostgres } from '../kit/postgres.ts';
import { openReplicaFixture, prepareEmptyFeeds } from '../kit/replica-fixture.ts';

describe.runIf(hasPostgres)('with PostgreSQL', () => {
  let postgres: Postgres;
  let feeds: Awaited<ReturnType<typeof prepareEmptyFeeds>>;
  beforeAll(async () => {
    postgres = await startPostgres();
    feeds = await prepareEmptyFeeds(postgres);
  });
  afterAll(async () => {
    await postgres.stop();
    await feeds.remove();
  });

  const suites = {
    call: [
      describePayloads,
      describeHeldManifests,
      describeAudit,
      describeClientLinks,
      describeSharedHistory,
      describePendingCommits,
      describeRings,
      describeTrust,
      (name: string, open: OpenFixture) => describeViews(name, open, 3),
    ],
    port: [
      describeKeys,
      describeDownloads,
      describeRefusals,
      describeBucketEvents,
      describeClients,
      describeRollouts,
    ],
  };
  for (const each of ['call', 'port'] as const) {
    for (const describeContract of suites[each])
      describeContract('two replicas', async () => openReplicaFixture(await feeds.next(), each));
  }
});
