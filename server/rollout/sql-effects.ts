import type { PackageChanges } from '../catalog/sql/catalog.ts';
import { forgetLeftover } from '../catalog/sql/held-manifests.ts';
import type { Prepare } from '../database/statements.ts';
import type { Transaction } from '../database/transact.ts';
import type { RolloutRequest, StoredRollout } from './rollouts.ts';
import {
  addCorrection,
  correctionsOf,
  forgetCorrection,
  grantedCorrections,
  heldBetas,
  heldCorrection,
  heldPackageOf,
  isHeld,
  isNeeded,
  isOfOther,
  lacksCorrection,
  listedBetas,
  mainOf,
  noteCorrected,
  packageOf,
} from './sql-corrections.ts';
import type { Branches, BucketChanges, RolloutEffects } from './sql-effect-types.ts';
import { isAbove, isBetaOfCorrection, isCorrectionOf } from './version-order.ts';
import type { MainOf } from './view-of.ts';

/** Over the rows of packages, corrections and the bucket's events. */
export function createRolloutEffects(packages: PackageChanges, bucket: BucketChanges): RolloutEffects {
  function publish(
    transaction: Transaction,
    { tool, packageId }: StoredRollout,
    version: string,
    branches: Branches,
    said: RolloutRequest,
  ): void {
    if (packages.publishHeld(transaction, packageId, version, said) === 'missing') return;
    bucket.publish(transaction, tool, version, branches, said);
  }

  /** Clients of Chocolatey and of Scoop are to get the same: a package without its manifest is nothing yet. */
  function isWhole(
    transaction: Transaction,
    { tool, packageId }: Pick<StoredRollout, 'tool' | 'packageId'>,
    version: string,
  ): boolean {
    const { prepare } = transaction;
    return isHeld(prepare, { tool, packageId, version }) && bucket.hasManifest(transaction, tool, version);
  }

  /** Its manifest and its payloads go too, since its number may be used again with other bytes. */
  function discardOne(
    transaction: Transaction,
    { tool, packageId }: Pick<StoredRollout, 'tool' | 'packageId'>,
    version: string,
    said: RolloutRequest,
    keepsPayloads = bucket.isOnBranch(transaction, tool, version),
  ): 'discarded' | 'missing' | 'pending' {
    const is = packages.discardHeld(transaction, packageId, version, said);
    if (is === 'pending') return is;
    forgetLeftover(transaction.prepare, tool, version);
    bucket.discard(transaction, tool, version);
    // What was ever public stays: its addresses are immutable (contract section 3).
    const isPublic =
      keepsPayloads || [packageId, tool].some((id) => packages.isPublished(transaction, id, version));
    const payloads = isPublic ? 0 : packages.discardPayloads(transaction, tool, version, said);
    return payloads > 0 ? 'discarded' : is;
  }

  /** A release comes to the feed first: until the bucket has it too, clients of Scoop still get what is held. */
  function mainOfBoth(transaction: Transaction, tool: string): MainOf {
    return (id) => {
      const main = mainOf(transaction.prepare, id);
      return main !== undefined && bucket.isOnBranch(transaction, tool, main) ? main : undefined;
    };
  }

  /** It was prepared and is not needed: its number is free again, unless another rollout gives it to clients. */
  function discardCorrections(
    transaction: Transaction,
    rollout: StoredRollout,
    said: RolloutRequest,
    keep?: string,
  ): void {
    const { prepare } = transaction;
    const { id, tool } = rollout;
    for (const version of correctionsOf(prepare, id).filter((one) => one !== keep)) {
      forgetCorrection(prepare, id, version);
      if (isNeeded(prepare, { ...rollout, version }, mainOfBoth(transaction, tool), id)) continue;
      for (const each of [version, ...heldBetas(prepare, { ...rollout, version })]) {
        if (discardOne(transaction, rollout, each, said) === 'pending') leave(prepare, rollout, each);
      }
    }
  }

  function leave(
    prepare: Prepare,
    { tool, packageId }: Pick<StoredRollout, 'tool' | 'packageId'>,
    version: string,
  ): void {
    const sql =
      'INSERT INTO held_leftovers (tool, package_id, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
    prepare(sql).run(tool, packageId, version);
  }

  /** Nobody builds anything now: all that clients get was uploaded before the start. */
  function rollBack(transaction: Transaction, rollout: StoredRollout, said: RolloutRequest): void {
    const { prepare } = transaction;
    const { packageId } = rollout;
    for (const beta of listedBetas(prepare, rollout)) {
      packages.setListed(transaction, packageId, beta, false, said);
    }
    for (const version of correctionsOf(prepare, rollout.id)) {
      const betas = heldBetas(prepare, { ...rollout, version });
      for (const beta of betas.filter((one) => isWhole(transaction, rollout, one))) {
        publish(transaction, rollout, beta, ['beta'], said);
      }
    }
    noteCorrected(prepare, rollout);
  }

  return {
    notBelow: (prepare, order) =>
      [mainOf(prepare, order.packageId), ...grantedCorrections(prepare, order.tool)].find(
        (offered) => offered !== undefined && !isAbove(order.version, offered),
      ),
    isOvertaken(prepare, { tool, packageId, version, state }) {
      // The one before may have been taken back while this one was pending.
      const granted = state === 'pending' ? grantedCorrections(prepare, tool) : [];
      return [mainOf(prepare, packageId), ...granted].some(
        (offered) => offered !== undefined && isAbove(offered, version),
      );
    },
    lacks(transaction, order, isApproved) {
      const { prepare } = transaction;
      if (!isWhole(transaction, order, order.version)) return 'version';
      if (mainOf(prepare, order.packageId) === undefined) return undefined;
      const correction = heldCorrection(prepare, order, isApproved);
      if (correction === undefined) return 'correction';
      const betas = heldBetas(prepare, { ...order, version: correction });
      return [correction, ...betas].every((one) => isWhole(transaction, order, one))
        ? undefined
        : 'correction';
    },
    lacksCorrection,
    started(transaction, rollout, isApproved) {
      const { prepare } = transaction;
      const correction = heldCorrection(prepare, rollout, isApproved);
      const known = correctionsOf(prepare, rollout.id);
      if (correction === undefined || known.includes(correction)) return undefined;
      if (!isWhole(transaction, rollout, correction)) return undefined;
      addCorrection(prepare, rollout.id, correction, mainOf(prepare, rollout.packageId));
      return correction;
    },
    corrected(transaction, rollout, version, request) {
      const { prepare } = transaction;
      const { id, packageId } = rollout;
      const isBack = rollout.state === 'rolled-back';
      if (!isWhole(transaction, rollout, version)) return false;
      if (!isCorrectionOf(version, rollout.version)) {
        const isBeta = isBetaOfCorrection(version, rollout.version);
        if (isBeta && isBack) publish(transaction, rollout, version, ['beta'], request);
        return isBeta;
      }
      if (isOfOther(prepare, rollout, version)) return false;
      if (!correctionsOf(prepare, id).includes(version))
        addCorrection(prepare, id, version, mainOf(prepare, packageId));
      if (!isBack) discardCorrections(transaction, rollout, request, version);
      packages.touch(transaction, packageId);
      return true;
    },
    discard(transaction, { tool, version, isOnBranch, keepsPayloads }, request) {
      const { prepare } = transaction;
      // A start that was interrupted may have come no further than its payloads.
      const packageId = heldPackageOf(prepare, tool, version) ?? packageOf(prepare, tool);
      return isNeeded(prepare, { tool, packageId, version }, mainOfBoth(transaction, tool))
        ? 'needed'
        : discardOne(
            transaction,
            { tool, packageId },
            version,
            request,
            isOnBranch || keepsPayloads || undefined,
          );
    },
    hasLeftovers: (prepare) => prepare('SELECT 1 FROM held_leftovers LIMIT 1').get() !== undefined,
    sweep(transaction, request) {
      const { prepare } = transaction;
      const rows = prepare('SELECT tool, package_id AS packageId, version FROM held_leftovers').all();
      for (const left of rows as Pick<StoredRollout, 'tool' | 'packageId' | 'version'>[]) {
        const isUsed = isNeeded(prepare, left, mainOfBoth(transaction, left.tool));
        if (isUsed) forgetLeftover(prepare, left.tool, left.version);
        else discardOne(transaction, left, left.version, request);
      }
    },
    changed(transaction, after, request) {
      packages.touch(transaction, after.packageId);
      switch (after.state) {
        case 'completed':
          publish(transaction, after, after.version, ['main', 'beta'], request);
          return discardCorrections(transaction, after, request);
        case 'superseded':
        case 'rejected':
          return discardCorrections(transaction, after, request);
        case 'rolled-back':
          return rollBack(transaction, after, request);
        default:
      }
    },
  };
}
