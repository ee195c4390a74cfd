import type { Audit } from '../../server/audit/audit.ts';
import type { Downloads } from '../../server/audit/downloads.ts';
import type { Refusals } from '../../server/audit/refusals.ts';
import type { ClientLinks } from '../../server/bucket/client-links.ts';
import type { BucketEvents } from '../../server/bucket/events.ts';
import type { NewPendingCommit, PendingCommits } from '../../server/bucket/pending-commits.ts';
import type { SharedHistory } from '../../server/bucket/shared-history.ts';
import type { Catalog } from '../../server/catalog/catalog.ts';
import type { HeldVersions } from '../../server/catalog/held.ts';
import type { HeldManifests } from '../../server/catalog/held-manifests.ts';
import type { Payloads } from '../../server/catalog/payloads.ts';
import type { Clients } from '../../server/clients/clients.ts';
import type { Rings } from '../../server/clients/rings.ts';
import type { Approvals } from '../../server/feed/approvals.ts';
import type { Keys } from '../../server/keys/keys.ts';
import type { Rollouts } from '../../server/rollout/rollouts.ts';
import type { Views } from '../../server/rollout/views.ts';
import type { Trust } from '../../server/trust/trust.ts';

export type ClientLimits = { readonly maxClients?: number; readonly maxNewAnHour?: number };
export type DownloadLimits = { readonly maxRows?: number; readonly maxWaiting?: number };

export type RefusalLimits = {
  readonly maxRows?: number;
  readonly maxApart?: number;
  readonly maxOfAddress?: number;
};

export type FeedFixture = {
  readonly catalog: Catalog & HeldVersions;
  readonly rollouts: Rollouts;
  readonly rings: Rings;
  readonly views: Views;
  readonly clients: Clients;
  readonly heldManifests: HeldManifests;
};

/** An empty database. Each call of a port opens it anew, as this server does after a restart. */
export type DatabaseFixture = {
  /** What the clock of the adapters says. */
  time: Date;
  /** Calls of its ports go to several servers in turn. */
  readonly isShared?: true;
  keys(adminApiKey?: string): Keys;
  trust(): Trust;
  payloads(): Payloads;
  heldManifests(): HeldManifests;
  audit(): Audit;
  rings(): Rings;
  clients(limits?: ClientLimits): Clients;
  /** So many approvals by other owners are needed for any version. */
  rollouts(approvalsNeeded?: number): Rollouts;
  /** Packages, rollouts and what clients see of them, as a server has them together. */
  feed(approvals?: Approvals): FeedFixture;
  downloads(limits?: DownloadLimits): Downloads;
  refusals(limits?: RefusalLimits): Refusals;
  bucketEvents(): BucketEvents;
  clientLinks(): ClientLinks;
  sharedHistory(): SharedHistory;
  pendingCommits(): PendingCommits;
  /** In a transaction, as whoever decides about it does. */
  addPendingCommit(commit: NewPendingCommit): Promise<void>;
  /** Closes the database and opens it again. */
  reopen(): Promise<void>;
  close(): Promise<void>;
};

/** Opens one whose clock stands at the beginning of 2026. */
export type OpenFixture = () => Promise<DatabaseFixture>;
