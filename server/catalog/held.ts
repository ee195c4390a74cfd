import type { Actor } from '../audit/audit.ts';
import type { NewPackage, PackageReads } from './catalog.ts';

/** What some clients see of a version that is held back from all others (docs/release/rollouts.md). */
export type Grant = { readonly id: string; readonly version: string; readonly isListed: boolean };

/** What can be asked about the packages that a client sees. */
export type VersionReads = Pick<
  PackageReads,
  'find' | 'findLatest' | 'findFile' | 'query' | 'count' | 'versionsOf' | 'readerFor'
>;

/**
 * Versions that are uploaded and not published: no question of `PackageReads` has them, and their numbers are taken.
 * Each change is durable, together with its audit entry, when its promise resolves.
 */
export interface HeldVersions {
  /** `tool`: whose release it is. `other package`: versions of another one are held for it, or were rolled out. */
  hold(
    pkg: NewPackage,
    by: Actor,
    reason?: string,
    tool?: string,
  ): Promise<'held' | 'exists' | 'purged' | 'other package'>;
  /** All that are held of a tool, by version. */
  listHeld(
    tool: string,
  ): Promise<{ readonly id: string; readonly version: string; readonly sha256: string }[]>;
  isHeld(id: string, version: string): Promise<boolean>;
  /** Makes it a package like all others, published now. */
  publishHeld(id: string, version: string, by: Actor, reason?: string): Promise<'published' | 'missing'>;
  /**
   * Takes it away with its bytes; its number may be used again. `pending`: its bytes wait to become durable as a file;
   * settle them and ask again.
   */
  discardHeld(
    id: string,
    version: string,
    by: Actor,
    reason?: string,
  ): Promise<'discarded' | 'missing' | 'pending'>;
  /** The packages with these held versions among them, and the latest flags as they are then. Versions that are not held are left out. */
  withHeld(grants: readonly Grant[]): VersionReads;
}
