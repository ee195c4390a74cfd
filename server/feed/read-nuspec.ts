import { readNuspecBytes } from '../../formats/nupkg.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { PackageFile } from '../catalog/catalog.ts';
import { blobSource } from './blob-source.ts';

/** The nuspec inside a published package, byte for byte; of a package of gigabytes only what is needed is read. */
export function readNuspecOf(blobs: Pick<BlobStore, 'open'>, row: PackageFile): Promise<Buffer> {
  return readNuspecBytes(blobSource(blobs, row));
}
