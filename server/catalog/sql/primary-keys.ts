import type { Prepare } from '../../database/statements.ts';
import { withoutIdentity } from '../nuspecs.ts';

/**
 * The low bits of a `pk`, which number the versions of an id; the bits above are the number of the id. So all versions of an id
 * are stored next to each other.
 */
const idBits = 20;

/** The `pk` after the id's last version; if it has none, the first one of the next free id number. */
const selectNextPk = `
  SELECT coalesce(
    (SELECT max(pk) + 1 FROM packages WHERE pk < (
      ((SELECT pk FROM packages WHERE id_key = ? LIMIT 1) >> ${idBits}) + 1) << ${idBits}),
    ((coalesce((SELECT max(pk) FROM packages), 0) >> ${idBits}) + 1) << ${idBits}) AS pk`;
const selectNuspec = `
  SELECT t.pk, t.nuspec FROM packages p CROSS JOIN nuspecs t ON t.pk = p.nuspec_pk WHERE p.pk = ? AND p.id_key = ?`;

/**
 * The `pk` for the next version of an id: after those that it has, so that one disk read brings in many of them. Only a purge
 * removes rows; the last `pk` of an id may then be used again.
 */
export function nextPk(prepare: Prepare, idKey: string): number {
  return (prepare(selectNextPk).get(idKey) as { pk: number }).pk;
}

/**
 * The stored texts that equal `nuspec`: those of the version published before, which usually differs only in its number.
 * Undefined when the texts are new.
 */
export function sameNuspec(prepare: Prepare, idKey: string, pk: number, nuspec: string): number | undefined {
  const before = prepare(selectNuspec).get(pk - 1, idKey) as { pk: number; nuspec: string } | undefined;
  return before !== undefined && withoutIdentity(before.nuspec) === withoutIdentity(nuspec)
    ? before.pk
    : undefined;
}
