import type { ForeignChange } from '../database/connection.ts';
import type { Copy } from './copy.ts';
import type { Session } from './postgres.ts';
import { readChanges } from './read-changes.ts';
import type { Table } from './tables.ts';

export type CatchUpDeps = {
  readonly copy: Copy;
  readonly tables: readonly Table[];
  /** While everything is copied anew nobody else may write to the copy. */
  readonly copying: () => Promise<void> | undefined;
  /** Called in the same turn as the copy changes. */
  readonly changed: (change: ForeignChange) => void;
};

/**
 * Brings the copy to at least this revision, which the session sees. False when the list of changes does not lead there, and
 * everything has to be copied.
 */
export async function catchUp(
  { copy, tables, copying, changed }: CatchUpDeps,
  session: Session,
  revision: number,
): Promise<boolean> {
  while (copy.revision() < revision) {
    const since = copy.revision();
    const read = await readChanges(session, tables, since);
    if (read === undefined) return false;
    await copying();
    // Meanwhile our own change, or another question, may have brought the copy further.
    if (copy.revision() !== since) continue;
    if (read.revision === since) return false;
    changed(copy.apply(read.changes, read.revision));
  }
  return true;
}
