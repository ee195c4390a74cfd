import { openNupkg } from '../../formats/nupkg.ts';
import { findNamedEntry, maxNamedFileBytes } from '../../formats/nupkg-files.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { PackageRow } from '../catalog/catalog.ts';
import { fail } from '../errors.ts';
import { blobSource } from './blob-source.ts';
import { type NamedFile, namedPath } from './shown-addresses.ts';

/** The bytes of a file that a package's nuspec names. @throws FeedError PACKAGE_NOT_FOUND when it names none */
export async function readNamedFile(
  blobs: Pick<BlobStore, 'open'>,
  row: PackageRow,
  file: NamedFile,
): Promise<Buffer> {
  const path = namedPath(row, file);
  if (path !== undefined) {
    const nupkg = await openNupkg(blobSource(blobs, row));
    try {
      const entry = findNamedEntry(nupkg.entries, path);
      if (entry !== undefined) return await nupkg.readEntry(entry.name, maxNamedFileBytes);
    } finally {
      await nupkg.close();
    }
  }
  return fail('PACKAGE_NOT_FOUND', { id: row.id, version: `${row.normalizedVersion} with ${file} in it` });
}
