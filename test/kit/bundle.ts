import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { digestBytes } from '../../formats/digest.ts';
import { readTar, writeTar } from '../../formats/tar.ts';
import { printDigests } from '../../manifest-gen/sources/bundle/format.ts';
import type { BundleKey } from '../../manifest-gen/sources/bundle/key.ts';

export type TarContent = readonly (readonly [path: string, bytes: Buffer])[];

export async function readFiles(tar: string): Promise<TarContent> {
  const files: [string, Buffer][] = [];
  for await (const { path, bytes } of readTar(createReadStream(tar))) files.push([path, await buffer(bytes)]);
  return files;
}

export async function tarOf(files: TarContent): Promise<Buffer> {
  async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
    yield bytes;
  }
  const entries = files.map(([path, bytes]) => ({ path, sizeBytes: bytes.length, bytes: one(bytes) }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(entries, new Date(0))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What somebody with the key could make: other content, with a list and a signature that are right for it. */
export async function signAgain(
  from: string,
  to: string,
  key: BundleKey,
  change: (files: TarContent) => TarContent,
): Promise<string> {
  const files = change((await readFiles(from)).slice(2));
  const digests = Buffer.from(
    printDigests(files.map(([path, bytes]) => ({ path, sha256: digestBytes(bytes).sha256 }))),
  );
  const list: TarContent = [
    ['digests', digests],
    ['digests.minisig', Buffer.from(key.sign(digests))],
  ];
  await writeFile(to, await tarOf([...list, ...files]));
  return to;
}
