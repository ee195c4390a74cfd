import type { Prepare } from '../../database/statements.ts';
import { withoutIdentity } from '../nuspecs.ts';

/**
 * The low bits of a `pk`, which number the versions of an id; the bits above are the number of the id. So all versions of an id
 * are stored next to each other.
 */
const idBits = 20;

/** The highest `pk` of each table before `end`; 0 if there is none. */
const lastBefore = (end: string): string =>
  ['packages', 'held_packages']
    .map((table) => `coalesce((SELECT max(pk) FROM ${table} WHERE pk < ${end}), 0)`)
    .join(', ');
/** The `pk` after the id's last version; if it has none, the first one of the next free id number. */
const selectNextPk = `
  SELECT coalesce(
    (SELECT max(${lastBefore('own.end')}) + 1 FROM (SELECT ((coalesce(
        (SELECT pk FROM packages WHERE id_key = ? LIMIT 1),
        (SELECT pk FROM held_packages WHERE id_key = ? LIMIT 1)) >> ${idBits}) + 1) << ${idBits} AS end) own
      WHERE own.end IS NOT NULL),
    ((max(${lastBefore('9e18')}) >> ${idBits}) + 1) << ${idBits}) AS pk`;
const selectNuspec = `
  SELECT t.pk, t.nuspec FROM packages p CROSS JOIN nuspecs t ON t.pk = p.nuspec_pk WHERE p.pk = ? AND p.id_key = ?`;

/**
 * The `pk` for the next version of an id: after those that it has, so that one disk read brings in many of them. Only
 * purging and discarding remove rows; the last `pk` of an id may then be used again.
 */
export function nextPk(prepare: Prepare, idKey: string): number {
  return (prepare(selectNextPk).get(idKey, idKey) as { pk: number }).pk;
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
