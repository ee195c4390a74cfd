import type { Prepare } from '../../database/statements.ts';
import { type Candidate, chooseLatest } from '../latest.ts';

type Row = Candidate & { readonly pk: number; readonly flags: readonly number[] };

/**
 * Recomputes the latest flags of an id; call it in the transaction of the change (spec nuget-v2 12.4). After a push or relisting
 * (`cameIn`), only that version and the ones that had a flag are compared, so that each push does not read 10,000 versions of an
 * id. Versions whose flags stay the same are not written, since each flag has an index.
 */
export function setLatestFlags(prepare: Prepare, idKey: string, cameIn?: number): void {
  const rows = (
    cameIn === undefined
      ? prepare(selectAll).all(idKey)
      : prepare(selectContenders).all(cameIn, idKey, idKey, idKey, idKey)
  ) as RawCandidate[];
  for (const { pk, flags } of changesOf(rows.map(toCandidate))) prepare(update).run(...flags, pk);
}

/** The ids whose flags are not what `setLatestFlags` would set. Rows are read one by one. */
export function* wrongLatest(prepare: Prepare): Generator<string> {
  const all = prepare(`SELECT id_key, ${fields} FROM packages ORDER BY id_key`).iterate();
  let idKey: string | undefined;
  let versions: Row[] = [];
  for (const raw of all as IterableIterator<RawCandidate & { id_key: string }>) {
    if (idKey !== undefined && idKey !== raw.id_key) {
      if (changesOf(versions).length > 0) yield idKey;
      versions = [];
    }
    idKey = raw.id_key;
    versions.push(toCandidate(raw));
  }
  if (idKey !== undefined && changesOf(versions).length > 0) yield idKey;
}

/** The new flags of those versions of an id whose flags have to change. */
function changesOf(versions: readonly Row[]): readonly Pick<Row, 'pk' | 'flags'>[] {
  const chosen = chooseLatest(versions);
  return versions.flatMap((row) => {
    const flags = flagColumns.map(([flag]) => Number(chosen[flag] === row));
    return flags.some((flag, at) => flag !== row.flags[at]) ? [{ pk: row.pk, flags }] : [];
  });
}

export const flagColumns = [
  ['latestSemVer1', 'latest_semver1'],
  ['newestSemVer1', 'newest_semver1'],
  ['latestSemVer2', 'latest_semver2'],
  ['newestSemVer2', 'newest_semver2'],
] as const;

const columns = flagColumns.map(([, column]) => column);
const fields = ['pk', 'version_key', 'is_prerelease', 'is_listed', 'in_semver1', ...columns].join(', ');
const select = `SELECT ${fields} FROM packages`;
const update = `UPDATE packages SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE pk = ?`;
const selectAll = `${select} WHERE id_key = ?`;
/** A UNION, since each part finds its one row in its own index. */
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
