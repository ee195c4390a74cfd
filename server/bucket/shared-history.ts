import type { Actor } from '../audit/audit.ts';
import type { RefMove } from './events.ts';
import type { Refs } from './git-bundle.ts';

/** How far a repository is. `id` tells apart two histories that have a generation of the same number. */
export type Mark = { readonly generation: number; readonly id: string };

/** Of a bucket that nobody has pushed to: both branches are at the first commit, which is the same on every server. */
export const beginning: Mark = { generation: 0, id: '' };

/** Where the objects of a push are in the blob store. */
export type StoredPack = {
  readonly sha256: string;
  readonly sizeBytes: number;
  /** What protects its bytes until a row names them (blobs/blob-claims.ts). */
  readonly claim?: string | undefined;
};

/** What takes a repository from a mark to the newest one. */
export type Steps = {
  readonly newest: Mark;
  /** In this order: one may continue objects of those before it. */
  readonly packs: readonly StoredPack[];
  /** Where these begin with a checkpoint: the packs of the pushes alone, which are always named. */
  readonly instead?: readonly StoredPack[];
  /** Those that have moved. */
  readonly refs: Refs;
};

/** Refs that move together. Without a pack, the objects that they move to are published already. */
export type Publication = {
  readonly moves: readonly RefMove[];
  readonly pack: StoredPack | undefined;
  readonly by: Actor;
  readonly reason?: string | undefined;
};

/**
 * The port to the bucket that several servers share: its refs and the packs of its objects are the truth, and each server's
 * repository is a copy of them. Contract suite: test/contract/shared-history.ts.
 */
export interface SharedHistory {
  /** From memory, or by one quick look: every request asks for it. */
  newest(): Promise<Mark>;
  /** Undefined when the mark is not of this history, so that a copy has to begin anew. */
  since(mark: Mark): Promise<Steps | undefined>;
  /**
   * Makes the next generation, with its entries in the audit log. Undefined, and nothing is changed, when the newest one is not
   * the one that was `seen`: two pushes that are valid alone may be invalid together.
   */
  publish(seen: Mark, publication: Publication): Promise<Mark | undefined>;
  /** Replaces the whole history by one generation with these refs, without entries in the audit log: for restored backups. */
  begin(refs: Refs, pack: StoredPack): Promise<Mark>;
  /** The generation of the last checkpoint; 0 for none. */
  lastCheckpoint(): Promise<number>;
  /** The pack has everything up to a generation. The one before it is kept, since a backup of the database may name it; no others. */
  keepCheckpoint(generation: number, pack: StoredPack): Promise<void>;
}
