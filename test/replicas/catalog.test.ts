import { afterAll, beforeAll, describe } from 'vitest';
import { createSqlCatalog, type SqlCatalog } from '../../server/catalog/sql/catalog.ts';
import { describeCatalog, editedAt } from '../contract/catalog.ts';
import { describeFilters } from '../contract/filters.ts';
import { describeHeldVersions } from '../contract/held.ts';
import { describePrunable } from '../contract/prunable.ts';
import { hasPostgres, type Postgres, startPostgres } from '../kit/postgres.ts';
import { alternating, openReplicaPair, prepareEmptyFeeds } from '../kit/replica-fixture.ts';

describe.runIf(hasPostgres)('with PostgreSQL', () => {
  let postgres: Postgres;
  let feeds: Awaited<ReturnType<typeof prepareEmptyFeeds>>;
  beforeAll(async () => {
    // Some suites keep many catalogs open.
    postgres = await startPostgres({ max_connections: '300' });
    feeds = await prepareEmptyFeeds(postgres);
  });
  afterAll(async () => {
    await postgres.stop();
    await feeds.remove();
  });

  const open = async () => {
    const pair = await openReplicaPair(await feeds.next());
    const create = () => pair.replicas().map(({ database }) => createSqlCatalog(database, () => editedAt));
    const catalogs = create();
    return {
      catalog: alternating(pair.replicas(), catalogs),
      // Each replica counts for itself.
      revisions: (catalogs[0] as SqlCatalog).revisions,
      async reopen() {
        await pair.reopen();
        return alternating(pair.replicas(), create());
      },
      close: pair.close,
    };
  };
  describeCatalog('the catalog of two replicas', open, { isRemote: true });
  describeHeldVersions('the catalog of two replicas', open);
  describePrunable('the catalog of two replicas', open);
  describeFilters('the catalog of two replicas', open, 500);
});
