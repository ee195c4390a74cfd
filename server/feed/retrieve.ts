import type { BlobStore, Range, TakePiece } from '../blobs/blob-store.ts';
import type { Catalog, PackageFile } from '../catalog/catalog.ts';
import { fail } from '../errors.ts';

export type RetrieveServices = { readonly catalog: Catalog; readonly blobs: BlobStore };

export type Retrieved = {
  readonly row: PackageFile;
  /** Reads all of a small one at once (`blobs/blob-store.ts`). */
  readSmall(): Buffer | Promise<Buffer>;
  /** Reads the range piece by piece (`blobs/blob-store.ts`). */
  readTo(range: Range, take: TakePiece): Promise<void>;
};

/**
 * Finds a package to download: any spelling of id and version, listed or not; without a version the latest listed stable one
 * (spec nuget-v2 9.8, 18.1).
 * @throws FeedError PACKAGE_NOT_FOUND, VERSION_PURGED, PATH_INVALID for names that lead out of a folder
 */
export async function retrieve(
  { catalog, blobs }: RetrieveServices,
  id: string,
  version?: string,
): Promise<Retrieved> {
  if (/[\\/]|\.\./.test(`${id} ${version ?? ''}`)) {
    fail('PATH_INVALID', { problem: 'ids and versions have no slashes and no two dots in a row.' });
  }
  const row = (await catalog.findFile(id, version)) ?? (await missing(catalog, id, version));
  return {
    row,
    readSmall: () => blobs.readSmall(row.sha256, row.sizeBytes),
    readTo: (range, take) => blobs.readTo(row.sha256, range, take),
  };
}

/** Reports a package that does not exist. @throws FeedError VERSION_PURGED if it did exist, otherwise PACKAGE_NOT_FOUND */
export async function missing(
  catalog: Pick<Catalog, 'isPurged'>,
  id: string,
  version: string | undefined,
): Promise<never> {
  if (version !== undefined && (await catalog.isPurged(id, version))) fail('VERSION_PURGED', { id, version });
  return fail('PACKAGE_NOT_FOUND', { id, version: version ?? '(listed and stable)' });
}
