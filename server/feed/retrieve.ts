import type { Readable } from 'node:stream';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Catalog, PackageFile } from '../catalog/catalog.ts';
import { fail } from '../errors.ts';

export type RetrieveServices = { readonly catalog: Catalog; readonly blobs: BlobStore };

export type Retrieved = {
  readonly row: PackageFile;
  /** All of a small one at once (`blobs/blob-store.ts`). */
  readSmall(): Buffer;
  /** A range is inclusive at both ends. */
  open(range?: { readonly start: number; readonly end: number }): Promise<Readable>;
};

/**
 * A package to download: any spelling of id and version, listed or not; without a version the latest listed stable one
 * (spec nuget-v2 9.8, 18.1).
 * @throws FeedError PACKAGE_NOT_FOUND, PATH_INVALID for what would lead out of a folder
 */
export async function retrieve(
  { catalog, blobs }: RetrieveServices,
  id: string,
  version?: string,
): Promise<Retrieved> {
  if (/[\\/]|\.\./.test(`${id} ${version ?? ''}`)) {
    fail('PATH_INVALID', { problem: 'ids and versions have no slashes and no two dots in a row.' });
  }
  const row =
    (await catalog.findFile(id, version)) ??
    fail('PACKAGE_NOT_FOUND', { id, version: version ?? '(listed and stable)' });
  return {
    row,
    readSmall: () => blobs.readSmall(row.sha256, row.sizeBytes),
    // Said, so that the end follows the last byte at once: a client that closes as soon as it has all would count as
    // broken off else.
    open: (range) => blobs.open(row.sha256, range ?? { start: 0, end: row.sizeBytes - 1 }),
  };
}
