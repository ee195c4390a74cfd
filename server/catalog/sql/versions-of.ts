import type { Sql } from '../../database/sql.ts';
import type { Prepare } from '../../database/statements.ts';
import { createPause } from '../../pause.ts';
import type { VersionRow } from '../catalog.ts';
import type { PackageQuery } from '../query.ts';
import type { HeldView } from './with-held.ts';

/** Rows read in one step, which takes about a millisecond. */
const rowsAtOnce = 1000;

type Row = [idKey: string, id: string, version: string, normalizedVersion: string, downloads: number];
export type Seen = Pick<PackageQuery, 'view' | 'includePrerelease'>;

/** See `Catalog.versionsOf`. */
export async function readVersionsOf(
  prepare: Prepare,
  ids: readonly string[],
  seen: Seen,
  each: number,
  held?: HeldView,
): Promise<ReadonlyMap<string, readonly VersionRow[]>> {
  const found = new Map<string, VersionRow[]>();
  const idsAtOnce = Math.max(1, Math.floor(rowsAtOnce / Math.max(each, 1)));
  const pause = createPause();
  for (let at = 0; at < ids.length; at += idsAtOnce) {
    const keys = ids.slice(at, at + idsAtOnce).map((id) => id.toLowerCase());
    const isOwn = (key: string): boolean => held?.ids.includes(key) ?? false;
    const rows = [
      ...read(
        prepare,
        versionsSql(
          keys.filter((key) => !isOwn(key)),
          seen,
          each,
        ),
      ),
      ...(held && keys.some(isOwn)
        ? read(prepare, held.withPackages(versionsSql(keys.filter(isOwn), seen, each)))
        : []),
    ];
    for (const [key, id, version, normalizedVersion, versionDownloads] of rows) {
      const versions = found.get(key) ?? [];
      found.set(key, versions);
      versions.push({ id, version, normalizedVersion, versionDownloads });
    }
    if (pause.isDue()) await pause.take();
  }
  return found;
}

function read(prepare: Prepare, { text, values }: Sql): Row[] {
  return prepare(text)
    .raw()
    .all(...values) as Row[];
}

function versionsSql(keys: readonly string[], { view, includePrerelease }: Seen, each: number): Sql {
  const conditions = [
    'o.id_key = asked.value',
    'o.is_listed = 1',
    ...(view === 'semver1' ? ['o.in_semver1 = 1'] : []),
    ...(includePrerelease ? [] : ['o.is_prerelease = 0']),
  ];
  // The subquery finds the newest versions of each id in the index; then only those few rows are sorted.
  const text = `SELECT p.id_key, i.id, p.version, p.normalized_version, p.downloads
    FROM json_each(?) asked CROSS JOIN ids i ON i.id_key = asked.value
    CROSS JOIN packages p ON p.pk IN (
      SELECT o.pk FROM packages o WHERE ${conditions.join(' AND ')} ORDER BY o.version_key DESC LIMIT ? + 0)
    ORDER BY p.id_key, p.version_key DESC`;
  return { text, values: [JSON.stringify(keys), each] };
}
