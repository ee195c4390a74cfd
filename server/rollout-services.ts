import { addPendingCommit, isReleased } from './bucket/sql-pending-commits.ts';
import type { HeldManifests } from './catalog/held-manifests.ts';
import type { SqlCatalog } from './catalog/sql/catalog.ts';
import {
  createSqlHeldManifests,
  discardHeldManifest,
  findHeldManifest,
} from './catalog/sql/held-manifests.ts';
import type { Clients } from './clients/clients.ts';
import type { Rings } from './clients/rings.ts';
import { createSqlClients } from './clients/sql-clients.ts';
import { createSqlRings } from './clients/sql-rings.ts';
import type { Connection } from './database/connection.ts';
import { type Approvals, approvalsNeeded } from './feed/approvals.ts';
import type { Rollouts } from './rollout/rollouts.ts';
import type { BucketChanges } from './rollout/sql-effect-types.ts';
import { createRolloutEffects } from './rollout/sql-effects.ts';
import { createSqlRollouts } from './rollout/sql-rollouts.ts';
import { createSqlStandings } from './rollout/sql-standings.ts';
import { createSqlViews } from './rollout/sql-views.ts';
import type { Standings } from './rollout/standing.ts';
import type { Views } from './rollout/views.ts';

export type RolloutServices = {
  readonly rollouts: Rollouts;
  readonly rings: Rings;
  readonly clients: Clients;
  readonly views: Views;
  readonly standings: Standings;
  readonly heldManifests: HeldManifests;
  /** Another number after each change of rings. */
  readonly ringChanges: () => number;
};

/** Rollouts and what they change, in SQLite. */
export function openRollouts(
  database: Connection,
  { catalog, approvals, now }: { catalog: SqlCatalog; approvals: Approvals; now: () => Date },
): RolloutServices {
  let ringChanges = 0;
  const rings = createSqlRings(database, now, () => {
    ringChanges += 1;
  });
  let otherChanges = 0;
  const changed = (): void => {
    otherChanges += 1;
  };
  database.onForeignChange(({ tables, removed }) => {
    if (tables.has('rings')) ringChanges += 1;
    if (removed.has('clients') || shown.some((table) => tables.has(table))) changed();
  });
  const clients = createSqlClients(database, now, {}, changed);
  const rollouts = createSqlRollouts(database, {
    now,
    ringChanges: () => ringChanges,
    changed,
    approvalsNeeded: ({ tool, packageId }) =>
      Math.max(approvalsNeeded(approvals, tool), approvalsNeeded(approvals, packageId)),
    effects: createRolloutEffects(catalog.within, bucketChanges(now)),
  });
  const views = createSqlViews(database, {
    rollouts,
    clients,
    changes: () => ringChanges + otherChanges,
    packages: (id) => catalog.revisions.known()?.packages(id) ?? 0,
    now,
  });
  const heldManifests = createSqlHeldManifests(database);
  return {
    rollouts,
    rings,
    clients,
    views,
    standings: createSqlStandings(database),
    heldManifests,
    ringChanges: () => ringChanges,
  };
}

/** Tables that decide what clients see. */
const shown = ['rollouts', 'rollout_corrections', 'rollout_corrected', 'purged'];

function bucketChanges(now: () => Date): BucketChanges {
  return {
    publish({ prepare }, tool, version, branches, { by, reason }) {
      const manifest = findHeldManifest(prepare, tool, version);
      if (manifest === undefined) return;
      const { text, message } = manifest;
      addPendingCommit(prepare, { tool, version, text, message, branches, at: now(), by, reason });
      discardHeldManifest(prepare, tool, version);
    },
    hasManifest: ({ prepare }, tool, version) => findHeldManifest(prepare, tool, version) !== undefined,
    isOnBranch: ({ prepare }, tool, version) => isReleased(prepare, tool, version),
    discard: ({ prepare }, tool, version) => void discardHeldManifest(prepare, tool, version),
  };
}
