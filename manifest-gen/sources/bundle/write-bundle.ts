import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { type Digest, digestBytes } from '../../../formats/digest.ts';
import { type TarFile, writeTar } from '../../../formats/tar.ts';
import { makeWhole, pipeToFile } from '../../../formats/whole-file.ts';
import {
  BundleContent,
  bundleTime,
  contentPath,
  digestsPath,
  printDigests,
  readDigests,
  signaturePath,
} from './format.ts';
import type { BundleKey } from './key.ts';

/** A file of the bundle: text, or a file on disk with the digest that it has. */
export type BundleFile = { readonly path: string } & (
  | { readonly text: string }
  | { readonly source: string; readonly digest: Digest }
);

/**
 * Writes the bundle, signed. It has its name only once it is whole.
 * @throws the errors of the file system; TarError when a file has changed in length since it was hashed
 */
export async function writeBundle(
  out: string,
  content: BundleContent,
  files: readonly BundleFile[],
  key: BundleKey,
  signal: AbortSignal,
): Promise<void> {
  const contentText = `${JSON.stringify(BundleContent.parse(content), null, 2)}\n`;
  const listed = [{ path: contentPath, text: contentText }, ...files];
  const digests = printDigests(listed.map((file) => ({ path: file.path, sha256: sha256Of(file) })));
  if (readDigests(digests) === undefined) throw new TypeError(`names that a bundle cannot have:\n${digests}`);
  const signature = key.sign(Buffer.from(digests));
  const all = [{ path: digestsPath, text: digests }, { path: signaturePath, text: signature }, ...listed];
  const tar = Readable.from(writeTar(all.map(tarFile), bundleTime), { objectMode: false });
  await makeWhole(out, (part) => pipeToFile(part, [tar], { flush: true, signal }));
}

function sha256Of(file: BundleFile): string {
  return 'text' in file ? digestBytes(Buffer.from(file.text)).sha256 : file.digest.sha256;
}

function tarFile(file: BundleFile): TarFile {
  if ('source' in file) {
    return { path: file.path, sizeBytes: file.digest.sizeBytes, bytes: createReadStream(file.source) };
  }
  const bytes = Buffer.from(file.text);
  return { path: file.path, sizeBytes: bytes.length, bytes: Readable.from([bytes]) };
}
