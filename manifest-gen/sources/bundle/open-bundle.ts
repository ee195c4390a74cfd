import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fail } from '../../../errors/release-error.ts';
import { createHashes, type Digest, digestBytes, type LocalFile } from '../../../formats/digest.ts';
import { fileReason } from '../../../formats/file-reason.ts';
import { minisignKeyId, verifyMinisign } from '../../../formats/minisign.ts';
import { readTar, TarError, type TarFile } from '../../../formats/tar.ts';
import { countBytes } from '../../../system/count-bytes.ts';
import {
  BundleContent,
  type BundledRelease,
  bundleTime,
  contentPath,
  digestsPath,
  type Listed,
  readDigests,
  signaturePath,
} from './format.ts';
import { untrustedComment } from './key.ts';

export type OpenBundle = Awaited<ReturnType<typeof openBundle>>;

export type BundlePlace = {
  readonly file: string;
  /** Public keys (`RW...`) whose bundles are taken. */
  readonly keys: readonly string[];
  /** Where the files go; empty. */
  readonly dir: string;
  readonly signal: AbortSignal;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
};

const maxTextBytes = 16 * 1024 * 1024;
const maxSignatureBytes = 4 * 1024;
const maxFileBytes = 1024 ** 3;

/**
 * Reads a bundle once, from its first bit to its last, and writes its files into a folder. The signature comes first, so that
 * nothing unsigned is written or parsed.
 * @throws ReleaseError BUNDLE_REFUSED, BUNDLE_UNREADABLE, INTERRUPTED
 */
export async function openBundle(place: BundlePlace) {
  const { file, signal } = place;
  const totalBytes = await sizeOf(file);
  const source = createReadStream(file, { signal, highWaterMark: 1024 * 1024 });
  const counted = countBytes(source, (doneBytes) => place.onProgress(doneBytes, totalBytes));
  try {
    return await readBundle(readTar(counted, { mtime: bundleTime }), place);
  } catch (error) {
    if (signal.aborted) return fail('INTERRUPTED', { state: 'nothing was published' }, error);
    if (error instanceof TarError) return refuse(file, 'a whole bundle', error.message);
    // a disk that is full, or a medium that cannot be read
    if (error instanceof Error && 'syscall' in error)
      return fail('BUNDLE_UNREADABLE', { file, cause: error.message }, error);
    throw error;
  } finally {
    source.destroy();
  }
}

/** Chunk by chunk, each on disk before the next is taken; nothing is written any more once this has ended, well or not. */
async function layDown({ bytes }: TarFile, target: string): Promise<Digest> {
  const hashes = createHashes();
  const file = await open(target, 'wx');
  try {
    for await (const chunk of bytes) {
      hashes.update(chunk);
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  return hashes.digest();
}

async function readBundle(tar: AsyncGenerator<TarFile>, { file, keys, dir }: BundlePlace) {
  const next = async (path: string, maxBytes: number): Promise<TarFile> => {
    const { value, done } = await tar.next();
    if (done === true) return refuse(file, path, 'the end of the bundle');
    if (value.path !== path) return refuse(file, path, JSON.stringify(value.path));
    if (value.sizeBytes > maxBytes)
      return refuse(file, `${path} of at most ${maxBytes} bytes`, `${value.sizeBytes}`);
    return value;
  };
  const text = async (path: string, maxBytes: number): Promise<Buffer> =>
    buffer((await next(path, maxBytes)).bytes);

  const digests = await text(digestsPath, maxTextBytes);
  const signature = await text(signaturePath, maxSignatureBytes);
  const keyId = requireSignature(file, digests, signature.toString('utf8'), keys);
  const [first, ...rest] = readDigests(digests.toString('utf8')) ?? [];
  if (first?.path !== contentPath)
    return refuse(file, `a list that begins with ${contentPath}`, 'another one');
  const contentBytes = await text(contentPath, maxTextBytes);
  requireSame(file, first, digestBytes(contentBytes).sha256);
  const content = readContent(file, contentBytes);

  const files = new Map<string, LocalFile>();
  for (const [number, listed] of rest.entries()) {
    // under a number: no name from outside becomes one on this disk
    const target = join(dir, String(number));
    const digest = await layDown(await next(listed.path, maxFileBytes), target);
    requireSame(file, listed, digest.sha256);
    files.set(listed.path, { path: target, digest });
  }
  const { value: more } = await tar.next();
  if (more !== undefined) return refuse(file, 'the end of the bundle', JSON.stringify(more.path));

  requireAll(file, content, files);
  return {
    /** Of the key that signed it. */
    keyId,
    releases: content.releases as readonly BundledRelease[],
    has: (path: string) => files.has(path),
    /** By its path in the bundle: the file on this disk, as the signed list has it. @throws ReleaseError BUNDLE_REFUSED when it is missing */
    fileAt: (path: string): LocalFile => files.get(path) ?? refuse(file, path, 'nothing'),
  };
}

/** @throws ReleaseError BUNDLE_REFUSED for an invalid signature, one of another list, or one by another key */
function requireSignature(file: string, digests: Buffer, signature: string, keys: readonly string[]): string {
  const expected = `a signature by ${keys.map((key) => minisignKeyId(key) ?? key).join(' or ')} (BUNDLE_KEY)`;
  const outcome = verifyMinisign(digests, signature, keys);
  if (outcome.outcome === 'bad') return refuse(file, expected, outcome.problem);
  const isOurs = signature.startsWith(`${untrustedComment}\n`) && signature.split('\n').length === 5;
  return isOurs ? outcome.keyId : refuse(file, expected, 'one with another comment');
}

function readContent(file: string, bytes: Buffer): BundleContent {
  try {
    return BundleContent.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    return refuse(file, `${contentPath} of schema 1`, 'another one, perhaps by a newer go-win-tools');
  }
}

function requireAll(
  file: string,
  { releases, roots }: BundleContent,
  files: ReadonlyMap<string, unknown>,
): void {
  const named = releases.flatMap(({ assets, sidecars, license, notes, record }) => [
    record,
    ...[license, notes].filter((path) => path !== undefined),
    ...[...assets, ...sidecars].map(({ path }) => path),
  ]);
  const missing = [...named, ...roots].find((path) => !files.has(path));
  if (missing !== undefined) refuse(file, missing, 'nothing');
}

function requireSame(file: string, { path, sha256 }: Listed, found: string): void {
  if (found !== sha256) refuse(file, `${path} with SHA-256 ${sha256}`, found);
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch((error: unknown) =>
    fail('BUNDLE_UNREADABLE', { file, cause: fileReason(error) }, error),
  );
  return found.isFile() ? found.size : fail('BUNDLE_UNREADABLE', { file, cause: 'it is a folder' });
}

function refuse(file: string, expected: string, found: string): never {
  return fail('BUNDLE_REFUSED', { file, expected, found });
}
