import { type Check, type Finding, failed, ok, skip } from './check.ts';

/** Of each table that names objects. */
const newest = 5;

/** Whether the object store has what the database names, and is not one that was emptied, or another one. */
export const objects: Check = {
  name: 'objects',
  needs: ['database', 'object-store'],
  limitMs: 60_000,
  async look({ config: { databaseUrl, blobStore }, signal }) {
    if (databaseUrl === undefined || blobStore === undefined)
      return skip('not used: packages are in the data folder');
    const [{ openPostgresProbe }, { findMissing }] = await Promise.all([
      import('../../replica/probe.ts'),
      import('../../blobs/s3-probe.ts'),
    ]);
    const probe = await openPostgresProbe(databaseUrl);
    try {
      const named = await probe.newestBlobs(newest);
      return judgeObjects({ named: named.length, missing: await findMissing(blobStore, named, signal) });
    } finally {
      probe.close();
    }
  },
};

export function judgeObjects({
  named,
  missing,
}: {
  readonly named: number;
  readonly missing: readonly string[];
}): Finding {
  const [first] = missing;
  return first === undefined
    ? ok(`the ${named} newest packages, payloads and packs that the database names are in the store`)
    : failed(
        `${missing.length} of the ${named} newest that the database names are not in the store, such as ${first}`,
        'set BLOB_STORE to the store of this database, or restore a backup (docs/operate/recovery.md); feed:verify names all that are missing',
      );
}
