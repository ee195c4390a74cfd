import { readNuspecBytes } from '../../formats/nupkg.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { PackageFile } from '../catalog/catalog.ts';
import { blobSource } from './blob-source.ts';

/** The nuspec in a published package, byte for byte; reads only the needed parts of even a huge package. */
export function readNuspecOf(blobs: Pick<BlobStore, 'open'>, row: PackageFile): Promise<Buffer> {
  return readNuspecBytes(blobSource(blobs, row));
}
