import type { Prepare } from '../../database/statements.ts';
import { withoutIdentity } from '../nuspecs.ts';

/** So many versions of an id lie side by side, as the last bits of their `pk`; the bits before are the number of the id. */
const idBits = 20;

/** The last version of the id that came, or nothing; then the one behind it, or the first one of an id with the next number. */
const selectNextPk = `
  SELECT coalesce(
    (SELECT max(pk) + 1 FROM packages WHERE pk < (
      ((SELECT pk FROM packages WHERE id_key = ? LIMIT 1) >> ${idBits}) + 1) << ${idBits}),
    ((coalesce((SELECT max(pk) FROM packages), 0) >> ${idBits}) + 1) << ${idBits}) AS pk`;
const selectNuspec = `
  SELECT t.pk, t.nuspec FROM packages p CROSS JOIN nuspecs t ON t.pk = p.nuspec_pk WHERE p.pk = ? AND p.id_key = ?`;

/**
 * Where the next version of an id goes: behind those that it has, so that one read of the disk brings many of them.
 * Only a purge removes rows; the place of an id's last one may then be given again.
 */
export function nextPk(prepare: Prepare, idKey: string): number {
  return (prepare(selectNextPk).get(idKey) as { pk: number }).pk;
}

/**
 * The texts that say what `nuspec`, as it would be stored, does: those of the version that came before it, which mostly
 * differ in nothing but the number. Undefined when it says something new.
 */
export function sameNuspec(prepare: Prepare, idKey: string, pk: number, nuspec: string): number | undefined {
  const before = prepare(selectNuspec).get(pk - 1, idKey) as { pk: number; nuspec: string } | undefined;
  return before !== undefined && withoutIdentity(before.nuspec) === withoutIdentity(nuspec)
    ? before.pk
    : undefined;
}
