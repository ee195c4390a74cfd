import type { Actor } from '../audit/audit.ts';
import type { BucketMark, Purged } from './catalog.ts';

/** A version that is public under some name: as a package, as payloads, or both. */
export type PublicVersion = {
  /** As the package spells it. */
  readonly version: string;
  /** When the newest part of it was published, in ms. */
  readonly at: number;
  /** A name that has payloads alone lists them all. */
  readonly isListed: boolean;
  readonly package: StoredBytes | undefined;
  readonly payloads: readonly StoredBytes[];
};

export type StoredBytes = { readonly sha256: string; readonly sizeBytes: number };

/** What a rollout of a tool, or of its package, names. */
export type RolloutNames = {
  readonly isOpen: boolean;
  readonly version: string;
  /** What replaces it after a rollback. */
  readonly corrections: readonly string[];
};

export type ManifestText = { readonly tool: string; readonly version: string; readonly text: string };

/** All that decides which versions of a name are still needed, as it is at one moment. */
export type NameFacts = {
  /** Of a package, as it is spelled, or of a tool. */
  readonly name: string;
  /** In no order; none that is held for a rollout. */
  readonly versions: readonly PublicVersion[];
  readonly rollouts: readonly RolloutNames[];
  /** Of all tools: what clients of rollouts read, and what branches of the bucket are about to get. */
  readonly manifests: readonly ManifestText[];
  /** Whether there is a package of this name, in any case. */
  isPackage(name: string): boolean;
};

export type PrunedVersion = Purged & { readonly version: string };

/** `isPending`: some bytes are not durable yet; flush them and ask again. */
export type PruneOutcome = { readonly pruned: readonly PrunedVersion[]; readonly isPending: boolean };

/** The port to versions that nobody needs any more (feed/prune.ts). */
export interface Prunable {
  /** The next names that have prereleases, in lower case and in order: at most some hundred; empty at the end. */
  prereleaseNames(after: string): Promise<readonly string[]>;
  nameFacts(name: string): Promise<NameFacts>;
  /**
   * Purges the versions that `choose` names, in the transaction that reads the facts for it, each with its audit entries. It may be
   * asked more than once. `overtaken`: as for `PackageWrites.purge`.
   */
  prune(
    name: string,
    choose: (facts: NameFacts) => readonly string[],
    by: Actor,
    reason: string,
    seen?: BucketMark,
  ): Promise<PruneOutcome | 'overtaken'>;
}
