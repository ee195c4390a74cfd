import { createHash, hash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { ByteSource } from '../../formats/zip-file.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { PackageFile } from '../catalog/catalog.ts';
import { fail } from '../errors.ts';

/** A zip's directory is read in pieces of a few bytes; the store is read in blocks of this size. */
const blockBytes = 64 * 1024;

type Blobs = Pick<BlobStore, 'open'>;
type Stored = Pick<PackageFile, 'sha256' | 'sizeBytes'>;

/** A stored package, for reading its zip. */
export function blobSource(blobs: Blobs, { sha256, sizeBytes }: Stored): ByteSource {
  return inBlocks(sizeBytes, async (start, end) =>
    buffer(await blobs.open(sha256, { start, end, of: sizeBytes })),
  );
}

/**
 * The same, where something is decided by what is in it: an object store is not trusted for parts, since only the whole has a hash. All
 * of it is read once, and every block that is read later has to be the one that was in the whole.
 * @throws FeedError OBJECT_DAMAGED, also when it is read
 */
export async function openCheckedSource(blobs: Blobs, file: Stored): Promise<ByteSource> {
  const { sha256, sizeBytes } = file;
  const whole = createHash('sha256');
  const known: string[] = [];
  for await (const block of blocksOf(await blobs.open(sha256))) {
    whole.update(block);
    known.push(hash('sha256', block));
  }
  if (whole.digest('hex') !== sha256) fail('OBJECT_DAMAGED', { sha256 });
  return inBlocks(sizeBytes, async (start, end) => {
    const block = await buffer(await blobs.open(sha256, { start, end, of: sizeBytes }));
    if (hash('sha256', block) !== known[start / blockBytes]) fail('OBJECT_DAMAGED', { sha256 });
    return block;
  });
}

async function* blocksOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let rest = Buffer.alloc(0);
  for await (const piece of bytes) {
    rest = Buffer.concat([rest, piece]);
    let at = 0;
    for (; rest.length - at >= blockBytes; at += blockBytes) yield rest.subarray(at, at + blockBytes);
    rest = rest.subarray(at);
  }
  if (rest.length > 0) yield rest;
}

function inBlocks(sizeBytes: number, readBlock: (start: number, end: number) => Promise<Buffer>): ByteSource {
  let block: { readonly start: number; readonly bytes: Buffer } | undefined;

  async function read(target: Buffer, position: number): Promise<number> {
    let copied = 0;
    while (copied < target.length && position + copied < sizeBytes) {
      const at = position + copied;
      const start = at - (at % blockBytes);
      if (block?.start !== start)
        block = { start, bytes: await readBlock(start, Math.min(start + blockBytes, sizeBytes) - 1) };
      const more = block.bytes.copy(target, copied, at - start);
      if (more === 0) break;
      copied += more;
    }
    return copied;
  }

  return { sizeBytes, read, close: async () => undefined };
}
