import type { Nuspec } from '../../../formats/nuspec.ts';
import type { Prepare } from '../../database/statements.ts';
import { saidOf } from '../nuspecs.ts';
import type { UnreadNuspec } from '../unread-nuspecs.ts';
import { sameTexts } from './place.ts';
import { packageTypesText, saidText } from './rows.ts';

const selectNext = `SELECT p.pk, i.id, p.normalized_version AS normalizedVersion, p.sha256, p.size_bytes AS sizeBytes
  FROM unread_nuspecs u CROSS JOIN packages p ON p.pk = u.pk JOIN ids i USING (id_key) ORDER BY u.pk LIMIT ?`;
const selectTexts = `SELECT p.id_key, p.texts_pk, t.nuspec FROM packages p JOIN texts t ON t.pk = p.texts_pk
  WHERE p.pk = ? AND p.sha256 = ?`;
const copyTexts = `INSERT INTO texts (pk, search, tags_key, tags, title, authors, owners, summary, description, dependencies, nuspec)
  SELECT ?, search, tags_key, tags, title, authors, owners, summary, description, dependencies, ? FROM texts WHERE pk = ?`;

export function nextUnread(prepare: Prepare, count: number): UnreadNuspec[] {
  const found = prepare(selectNext).all(count) as UnreadNuspec[];
  // What is left then was purged.
  if (found.length === 0) prepare('DELETE FROM unread_nuspecs').run();
  return found;
}

/**
 * Notes what a package says, in a transaction; true when an answer could show that. What all versions say the same they
 * go on sharing: the first of them has the texts, and one that says something else gets texts of its own.
 */
export function storeNuspec(
  prepare: Prepare,
  { pk, sha256 }: UnreadNuspec,
  nuspec: Nuspec | undefined,
): boolean {
  prepare('DELETE FROM unread_nuspecs WHERE pk = ?').run(pk);
  const before = prepare(selectTexts).get(pk, sha256) as
    | { id_key: string; texts_pk: number; nuspec: string }
    | undefined;
  if (before === undefined || nuspec === undefined) return false;
  prepare('UPDATE packages SET package_types = ? WHERE pk = ?').run(packageTypesText(nuspec), pk);
  const said = saidText(nuspec);
  if (saidOf(said) === saidOf(before.nuspec)) return false;
  if (before.texts_pk === pk) {
    prepare('UPDATE texts SET nuspec = ? WHERE pk = ?').run(said, pk);
    return true;
  }
  const shared = sameTexts(prepare, before.id_key, pk, said);
  if (shared === undefined) prepare(copyTexts).run(pk, said, before.texts_pk);
  prepare('UPDATE packages SET texts_pk = ? WHERE pk = ?').run(shared ?? pk, pk);
  return true;
}
