import type { Connection } from '../../database/connection.ts';
import type { Scans } from '../../database/scans.ts';
import { fail } from '../../errors.ts';
import type { Catalog } from '../catalog.ts';
import type { HeldVersions } from '../held.ts';
import { createNuspecs } from '../nuspecs.ts';
import type { Prunable } from '../prunable.ts';
import type { Revisions } from '../revisions.ts';
import type { UnreadNuspecs } from '../unread-nuspecs.ts';
import { createHeldVersions, type HeldChanges } from './held.ts';
import { readSizes } from './load.ts';
import { createPrunable } from './prunable.ts';
import { createReads } from './reads.ts';
import { createSqlRevisions } from './revisions.ts';
import { createSqlUnreadNuspecs } from './unread-nuspecs.ts';
import { createWrites, type SetListed } from './writes.ts';

export type PackageChanges = HeldChanges & { readonly setListed: SetListed };

export type SqlCatalog = Catalog &
  HeldVersions &
  Prunable & {
    readonly revisions: Revisions;
    /** For changes of packages that belong to a larger change. */
    readonly within: PackageChanges;
    readonly unreadNuspecs: UnreadNuspecs;
  };

/**
 * The catalog in SQLite. `flush` it before closing its connection. Queries that would block everybody else run in `scans`, if
 * given: an operator's verb has nobody else to block.
 */
export function createSqlCatalog(db: Connection, now: () => Date, scans?: Scans): SqlCatalog {
  const nuspecs = createNuspecs((pk) => {
    const row = db.prepare('SELECT nuspec FROM nuspecs WHERE pk = ?').get(pk) as
      | { nuspec: string }
      | undefined;
    return row?.nuspec ?? fail('INTERNAL');
  });
  db.onForeignChange(({ replaced }) => {
    // Their numbers may be used for other texts by now, as after a purge.
    if (replaced.has('nuspecs')) nuspecs.forgetPurged();
  });
  const sizes = readSizes(db);
  const revisions = createSqlRevisions(db);
  const { writes, setListed } = createWrites({ db, now, sizes, revisions, nuspecs });
  const { versions, within } = createHeldVersions({ db, now, sizes, revisions, nuspecs });
  return {
    ...createReads({ db, scans, sizes, revisions, nuspecs }),
    ...writes,
    ...createPrunable({ db, now, revisions, nuspecs, writes }),
    ...versions,
    within: { ...within, setListed },
    revisions,
    unreadNuspecs: createSqlUnreadNuspecs(db, revisions, nuspecs),
  };
}
