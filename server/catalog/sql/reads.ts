import type { PackageReads } from '../catalog.ts';
import type { HeldVersions } from '../held.ts';
import { createNewestSearch } from './newest-search.ts';
import { createNewestTexts } from './newest-texts.ts';
import { isPurged } from './purge.ts';
import { packageKey } from './rows.ts';
import { createVersionReads, type ReadDeps } from './version-reads.ts';
import { heldView } from './with-held.ts';

/** Reading packages in SQLite. */
export function createReads(deps: ReadDeps): PackageReads & Pick<HeldVersions, 'withHeld'> {
  const { prepare } = deps.db;
  const newestSearch = createNewestSearch(createNewestTexts(prepare, deps.revisions));
  const count = (sql: string): number => Number(prepare(sql).pluck().get() ?? 0);

  return {
    ...createVersionReads(deps, newestSearch),
    withHeld: (grants) => createVersionReads(deps, newestSearch, heldView(grants)),
    async isPurged(id, version) {
      const key = packageKey(id, version);
      return key !== undefined && isPurged(prepare, key);
    },
    size: async () => count('SELECT count(*) FROM packages'),
    async totals() {
      const text = `SELECT count(*) AS versions, coalesce(sum(size_bytes), 0) AS bytes,
        count(DISTINCT id_key) AS ids FROM packages`;
      return prepare(text).get() as { ids: number; versions: number; bytes: number };
    },
    async ping() {
      prepare('SELECT revision FROM state').get();
    },
  };
}
