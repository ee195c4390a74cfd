import type { ForeignChange } from '../database/connection.ts';
import type { Commit, Copy } from './copy.ts';
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
 * Brings the copy to at least this commit, which the session sees. False when the list of changes does not lead there, and
 * everything has to be copied.
 */
export async function catchUp(
  { copy, tables, copying, changed }: CatchUpDeps,
  session: Session,
  { revision, token }: Commit,
): Promise<boolean> {
  while (copy.at().revision < revision) {
    const since = copy.at();
    const read = await readChanges(session, tables, since);
    if (read === undefined) return false;
    await copying();
    // Meanwhile our own change, or another question, may have brought the copy further.
    if (copy.at().token !== since.token) continue;
    if (read.commit.revision === since.revision) return false;
    changed(copy.apply(read.changes, read.commit));
  }
  // The same number of another commit: the database went back, and on from there.
  return copy.at().revision > revision || copy.at().token === token;
}
