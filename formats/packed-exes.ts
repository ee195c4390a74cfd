import { createHash } from 'node:crypto';
import { readRange } from './digest.ts';
import type { Deflated } from './zip-writer.ts';

/**
 * The packages that this run has packed, by the SHA-256 of their exe: a beta and the stable version that is made of it have the same
 * one, which is compressed once. Compressing takes most of the time of packing.
 */
export type PackedExes = Map<string, PackedExe>;
type PackedExe = { readonly nupkgPath: string; readonly deflated: Deflated };

/** A package takes the place of any other at its path. */
export function keepPacked(exes: PackedExes, sha256: string, packed: PackedExe): void {
  for (const [other, { nupkgPath }] of exes) if (nupkgPath === packed.nupkgPath) exes.delete(other);
  exes.set(sha256, packed);
}

/**
 * The compressed bytes, hashed again while they are read: exactly what the verified exe was compressed to is packed.
 * @param onOther called with their SHA-256 when they are others
 */
export async function* packedBytes(
  { nupkgPath, deflated }: PackedExe,
  onOther: (expected: string, found: string) => void,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of readRange(nupkgPath, deflated.start, deflated.compressedBytes)) {
    hash.update(chunk);
    yield chunk;
  }
  const found = hash.digest('hex');
  if (found !== deflated.sha256) onOther(deflated.sha256, found);
}
