import { readFileBytes } from '../../formats/nupkg.ts';
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
  const bytes = path === undefined ? undefined : await readAt(path);
  return (
    bytes ?? fail('PACKAGE_NOT_FOUND', { id: row.id, version: `${row.normalizedVersion} with ${file} in it` })
  );

  /** Reads nothing else of the package: clients ask for the icons of a whole page at once. */
  function readAt(path: string): Promise<Buffer | undefined> {
    const choose = (names: readonly string[]) =>
      findNamedEntry(
        names.map((name) => ({ name })),
        path,
      )?.name;
    return readFileBytes(blobSource(blobs, row), choose, maxNamedFileBytes);
  }
}
