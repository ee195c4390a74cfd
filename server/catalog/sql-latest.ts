import { type Candidate, chooseLatest } from './latest.ts';
import type { Prepare } from './statements.ts';

type Row = Candidate & { readonly pk: number; readonly flags: readonly number[] };

/**
 * Sets the latest flags of an id again; call it in the transaction of the change (spec nuget-v2 12.4). When a version
 * came (`cameIn`: pushed, relisted), the highest is one of it and those that had a flag: an id of 10,000 versions is
 * not read again with each push. A version whose flags stay is not written; each flag has an index.
 */
export function setLatestFlags(prepare: Prepare, idKey: string, cameIn?: number): void {
  const rows = (
    cameIn === undefined
      ? prepare(selectAll).all(idKey)
      : prepare(selectContenders).all(cameIn, idKey, idKey, idKey, idKey)
  ) as RawCandidate[];
  const candidates = rows.map(toCandidate);
  const chosen = chooseLatest(candidates);
  for (const row of candidates) {
    const flags = flagColumns.map(([flag]) => Number(chosen[flag] === row));
    if (flags.some((flag, at) => flag !== row.flags[at])) prepare(update).run(...flags, row.pk);
  }
}

const flagColumns = [
  ['latestSemVer1', 'latest_semver1'],
  ['newestSemVer1', 'newest_semver1'],
  ['latestSemVer2', 'latest_semver2'],
  ['newestSemVer2', 'newest_semver2'],
] as const;

const columns = flagColumns.map(([, column]) => column);
const select = `SELECT pk, version_key, is_prerelease, is_listed, in_semver1, ${columns.join(', ')} FROM packages`;
const update = `UPDATE packages SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE pk = ?`;
const selectAll = `${select} WHERE id_key = ?`;
/** A UNION, since each of its parts finds its one row in an index of its own. */
const selectContenders = [
  `${select} WHERE pk = ?`,
  ...columns.map((column) => `${selectAll} AND ${column} = 1`),
].join(' UNION ');

type RawCandidate = {
  pk: number;
  version_key: string;
  is_prerelease: number;
  is_listed: number;
  in_semver1: number;
} & Record<(typeof flagColumns)[number][1], number>;

function toCandidate(raw: RawCandidate): Row {
  return {
    pk: raw.pk,
    versionKey: raw.version_key,
    isPrerelease: raw.is_prerelease === 1,
    isListed: raw.is_listed === 1,
    inSemVer1: raw.in_semver1 === 1,
    flags: flagColumns.map(([, column]) => raw[column]),
  };
}
