import { buffer } from 'node:stream/consumers';
import type { ByteSource } from '../../formats/zip-file.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { PackageFile } from '../catalog/catalog.ts';

/** A zip's directory is read in pieces of a few bytes; the store is read in blocks of this size. */
const blockBytes = 64 * 1024;

/** A stored package, for reading its zip. */
export function blobSource(blobs: Pick<BlobStore, 'open'>, { sha256, sizeBytes }: PackageFile): ByteSource {
  let block: { readonly start: number; readonly bytes: Buffer } | undefined;

  async function read(target: Buffer, position: number): Promise<number> {
    let copied = 0;
    while (copied < target.length && position + copied < sizeBytes) {
      const at = position + copied;
      const start = at - (at % blockBytes);
      if (block?.start !== start) {
        const end = Math.min(start + blockBytes, sizeBytes) - 1;
        block = { start, bytes: await buffer(await blobs.open(sha256, { start, end, of: sizeBytes })) };
      }
      const more = block.bytes.copy(target, copied, at - start);
      if (more === 0) break;
      copied += more;
    }
    return copied;
  }

  return { sizeBytes, read, close: async () => undefined };
}
