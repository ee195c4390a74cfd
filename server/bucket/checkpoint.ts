import type { Git } from './git-backend.ts';
import { beginning, type SharedHistory } from './shared-history.ts';
import { allRefs } from './shared-refs.ts';
import { type PackStore, withStoredPack } from './stored-packs.ts';

export type CheckpointDeps = {
  readonly history: SharedHistory;
  readonly blobs: PackStore;
  /** The bucket's folder. */
  readonly dir: string;
  readonly git: Git;
};

/**
 * Stores all objects of the bucket as one pack after so many pushes, so that a new copy takes one pack instead of all of them. git
 * refuses to pack what this copy has not.
 */
export function createCheckpoints(
  deps: CheckpointDeps,
  every: number,
): (generation: number) => Promise<void> {
  const { git, history } = deps;
  let isStoring = false;
  return async (generation) => {
    if (isStoring || generation < (await history.lastCheckpoint()) + every) return;
    isStoring = true;
    try {
      const whole = await history.since(beginning);
      if (whole === undefined) return;
      const revisions = Object.values(allRefs(whole.refs));
      await withStoredPack(git, deps, { revisions }, async (stored) => {
        if (stored !== undefined) await history.keepCheckpoint(whole.newest.generation, stored);
      });
    } finally {
      isStoring = false;
    }
  };
}
