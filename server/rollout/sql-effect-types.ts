import type { Prepare } from '../database/statements.ts';
import type { Transaction } from '../database/transact.ts';
import type { Discarded, RolloutRequest, StoredRollout } from './rollouts.ts';

/** What a rollout does to packages and manifests, in the transaction that changes it. */
export type RolloutEffects = {
  /** What some clients are offered of a package that is not below this version. */
  notBelow(
    prepare: Prepare,
    order: Pick<StoredRollout, 'tool' | 'packageId' | 'version'>,
  ): string | undefined;
  /** Whether everybody is offered a higher version than a rollout's; before it begins, also whether anybody is by a rollback. */
  isOvertaken(prepare: Prepare, rollout: StoredRollout): boolean;
  /** What is not held and has to be, before a rollout can start. `isApproved`: other owners must approve it (APPROVALS). */
  lacks(
    transaction: Transaction,
    order: Pick<StoredRollout, 'tool' | 'packageId' | 'version'>,
    isApproved: boolean,
  ): 'version' | 'correction' | undefined;
  /** Whether main offers something, and nothing is prepared that has its bytes, for a rollback to give. */
  lacksCorrection(prepare: Prepare, rollout: Pick<StoredRollout, 'id' | 'packageId'>): boolean;
  /** It was started, perhaps again: the correction is the one that is held now. Answers with it where it is new. */
  started(transaction: Transaction, rollout: StoredRollout, isApproved: boolean): string | undefined;
  /** A held version is to be its correction, or a beta of that; false where it cannot be. */
  corrected(
    transaction: Transaction,
    rollout: StoredRollout,
    version: string,
    request: RolloutRequest,
  ): boolean;
  discard(
    transaction: Transaction,
    what: Discarded,
    request: RolloutRequest,
  ): 'discarded' | 'needed' | 'missing' | 'pending';
  hasLeftovers(prepare: Prepare): boolean;
  /** Takes away what could not be when its rollout ended. */
  sweep(transaction: Transaction, request: RolloutRequest): void;
  /** Its state or step is another. */
  changed(transaction: Transaction, after: StoredRollout, request: RolloutRequest): void;
};

/** Where a version that becomes public is committed. */
export type Branches = readonly ['main', 'beta'] | readonly ['beta'];

/** What belongs to a held version beside its package, and what the bucket has to do. */
export type BucketChanges = {
  /** A version becomes public: its manifest is to be committed to these branches. */
  publish(
    transaction: Transaction,
    tool: string,
    version: string,
    branches: Branches,
    request: RolloutRequest,
  ): void;
  hasManifest(transaction: Transaction, tool: string, version: string): boolean;
  /** Whether a branch has the manifest of this version, or is to get it. */
  isOnBranch(transaction: Transaction, tool: string, version: string): boolean;
  discard(transaction: Transaction, tool: string, version: string): void;
};
