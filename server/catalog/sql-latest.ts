import { type Candidate, chooseLatest } from './latest.ts';
import type { Prepare } from './statements.ts';

type Row = Candidate & { readonly pk: number };

/**
 * Sets the latest flags of an id again; call it in the transaction of the change (spec nuget-v2 12.4). When a version
 * came (`cameIn`: pushed, relisted), the highest is one of it and those that had a flag: an id of 10,000 versions is
 * not read again with each push.
 */
export function setLatestFlags(prepare: Prepare, idKey: string, cameIn?: number): void {
  const rows = prepare(cameIn === undefined ? selectAll : selectContenders).all(
    ...(cameIn === undefined ? [idKey] : [idKey, cameIn]),
  ) as RawCandidate[];
  const chosen = chooseLatest<Row>(rows.map(toCandidate));
  prepare(clearFlags).run(idKey);
  for (const [flag, column] of flagColumns) {
    const row = chosen[flag];
    if (row) prepare(`UPDATE packages SET ${column} = 1 WHERE pk = ?`).run(row.pk);
  }
}

const flagColumns = [
  ['latestSemVer1', 'latest_semver1'],
  ['newestSemVer1', 'newest_semver1'],
  ['latestSemVer2', 'latest_semver2'],
  ['newestSemVer2', 'newest_semver2'],
] as const;

const hasFlag = `(${flagColumns.map(([, column]) => `${column} = 1`).join(' OR ')})`;
const selectAll =
  'SELECT pk, version_key, is_prerelease, is_listed, in_semver1 FROM packages WHERE id_key = ?';
const selectContenders = `${selectAll} AND (pk = ? OR ${hasFlag})`;
const clearFlags = `UPDATE packages SET ${flagColumns.map(([, column]) => `${column} = 0`).join(', ')}
  WHERE id_key = ? AND ${hasFlag}`;

type RawCandidate = {
  pk: number;
  version_key: string;
  is_prerelease: number;
  is_listed: number;
  in_semver1: number;
};

function toCandidate(raw: RawCandidate): Row {
  return {
    pk: raw.pk,
    versionKey: raw.version_key,
    isPrerelease: raw.is_prerelease === 1,
    isListed: raw.is_listed === 1,
    inSemVer1: raw.in_semver1 === 1,
  };
}
