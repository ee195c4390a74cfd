import type { Nuspec } from '../../../formats/nuspec.ts';
import type { Connection } from '../../database/connection.ts';
import type { Prepare } from '../../database/statements.ts';
import { type Nuspecs, withoutIdentity } from '../nuspecs.ts';
import type { UnreadNuspec, UnreadNuspecs } from '../unread-nuspecs.ts';
import { sameNuspec } from './primary-keys.ts';
import type { SqlRevisions } from './revisions.ts';
import { nuspecText, packageTypesText } from './rows.ts';

const selectNext = `SELECT p.pk, i.id, p.normalized_version AS normalizedVersion, p.sha256, p.size_bytes AS sizeBytes
  FROM unread_nuspecs u CROSS JOIN packages p ON p.pk = u.pk JOIN ids i USING (id_key) ORDER BY u.pk LIMIT ?`;
const selectNuspec = `SELECT p.id_key, p.nuspec_pk, t.nuspec FROM packages p JOIN nuspecs t ON t.pk = p.nuspec_pk
  WHERE p.pk = ? AND p.sha256 = ?`;
const copyNuspec = `INSERT INTO nuspecs (pk, search, tags_key, tags, title, authors, owners, summary, description, dependencies, nuspec)
  SELECT ?, search, tags_key, tags, title, authors, owners, summary, description, dependencies, ? FROM nuspecs WHERE pk = ?`;

export function createSqlUnreadNuspecs(
  { prepare, transact, writeStatistics }: Connection,
  revisions: SqlRevisions,
  nuspecs: Pick<Nuspecs, 'forget'>,
): UnreadNuspecs {
  return {
    async next(count) {
      const found = prepare(selectNext).all(count) as UnreadNuspec[];
      // The remaining ones were purged.
      if (found.length === 0) await writeStatistics(() => void prepare('DELETE FROM unread_nuspecs').run());
      return found;
    },
    store: (read) =>
      transact((change) => {
        const changed = read.filter(({ of, nuspec }) => storeNuspec(prepare, of, nuspec));
        change.afterCommit(nuspecs.forget);
        const ids = changed.map(({ of }) => of.id.toLowerCase());
        if (ids.length > 0) revisions.change(change, ids);
      }),
  };
}

/**
 * Stores the fields of a nuspec, in a transaction; true when an answer could show a change. Versions with equal texts keep
 * sharing them: the first one has the texts, and one that differs gets its own.
 */
function storeNuspec(prepare: Prepare, { pk, sha256 }: UnreadNuspec, nuspec: Nuspec | undefined): boolean {
  prepare('DELETE FROM unread_nuspecs WHERE pk = ?').run(pk);
  const before = prepare(selectNuspec).get(pk, sha256) as
    | { id_key: string; nuspec_pk: number; nuspec: string }
    | undefined;
  if (before === undefined || nuspec === undefined) return false;
  prepare('UPDATE packages SET package_types = ? WHERE pk = ?').run(packageTypesText(nuspec), pk);
  const text = nuspecText(nuspec);
  if (withoutIdentity(text) === withoutIdentity(before.nuspec)) return false;
  if (before.nuspec_pk === pk) {
    prepare('UPDATE nuspecs SET nuspec = ? WHERE pk = ?').run(text, pk);
    return true;
  }
  const shared = sameNuspec(prepare, before.id_key, pk, text);
  if (shared === undefined) prepare(copyNuspec).run(pk, text, before.nuspec_pk);
  prepare('UPDATE packages SET nuspec_pk = ? WHERE pk = ?').run(shared ?? pk, pk);
  return true;
}
