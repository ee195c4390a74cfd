import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { digestFile } from '../../formats/digest.ts';
import { hashing, type TarFile, writeTar } from '../../formats/tar.ts';
import type { BlobReader } from '../blobs/blob-store.ts';
import type { CatalogSnapshot } from '../catalog/snapshot.ts';
import { fail } from '../errors.ts';
import { type BackupManifest, type BackupMember, blobMember, manifestName } from './backup-format.ts';

export type BackupSources = {
  /**
   * The order makes the backup consistent while a server runs: first the bucket, then the database, then the blobs. A push to the
   * bucket is only accepted when the payloads in its manifests have their rows, and a row is only written when its blob exists;
   * neither of them is removed meanwhile. So each payload named in the bundle has its row in the later snapshot, and each row
   * there has its blob later still. The other way round, a manifest could name a payload that the backup lacks, and Scoop would
   * get 404 after a restore.
   */
  readonly bundle: { readonly file: string; readonly refs: Readonly<Record<string, string>> };
  readonly snapshot: CatalogSnapshot;
  readonly blobs: BlobReader;
};

export type BackupOptions = {
  readonly program: string;
  readonly now: Date;
  readonly isGzipped: boolean;
  /** Left out because their bytes are damaged; the manifest names them. */
  readonly missing: ReadonlySet<string>;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
};

/** What a backup would contain. */
export async function planBackup(
  { bundle, snapshot }: Pick<BackupSources, 'bundle' | 'snapshot'>,
  { program, now, missing }: Pick<BackupOptions, 'program' | 'now' | 'missing'>,
): Promise<BackupManifest> {
  const members = [
    await fileMember('bucket.bundle', bundle.file),
    await fileMember('catalog.db', snapshot.file),
  ];
  for await (const { sha256, sizeBytes } of snapshot.blobs()) {
    if (!missing.has(sha256)) members.push({ path: blobMember(sha256), sha256, sizeBytes });
  }
  return {
    kind: 'go-win-tools backup',
    format: 1,
    program,
    time: now.toISOString(),
    counts: await snapshot.counts(),
    refs: bundle.refs,
    members,
    missing: [...missing].sort(),
  };
}

/**
 * Writes the planned backup to a new file, which is on disk when this returns.
 * @throws FeedError BLOB_DAMAGED when bytes do not match the catalog
 */
export async function writeBackup(
  { bundle, snapshot, blobs }: BackupSources,
  manifest: BackupManifest,
  file: string,
  options: BackupOptions,
): Promise<void> {
  const text = Buffer.from(`${JSON.stringify(manifest)}\n`);
  const files: Record<string, string> = { 'bucket.bundle': bundle.file, 'catalog.db': snapshot.file };

  async function* open({ path, sha256 }: BackupMember): AsyncGenerator<Uint8Array> {
    const source = files[path];
    yield* source === undefined ? await blobs.open(sha256) : createReadStream(source);
  }
  async function* content(): AsyncGenerator<TarFile> {
    yield { path: manifestName, sizeBytes: text.length, bytes: Readable.from([text]) };
    for (const member of manifest.members) {
      yield { ...member, bytes: checked(member, open(member)) };
    }
  }
  async function* counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      options.onProgress(chunk.length);
      yield chunk;
    }
  }

  const tar = Readable.from(counted(writeTar(content(), options.now)), { objectMode: false });
  const out = createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true });
  const { signal } = options;
  if (options.isGzipped) await pipeline(tar, createGzip(), out, { signal });
  else await pipeline(tar, out, { signal });
}

async function* checked(
  { path, sha256, sizeBytes }: BackupMember,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let found = { sha256: '', sizeBytes: 0 };
  try {
    yield* hashing(bytes, (digest, size) => {
      found = { sha256: digest, sizeBytes: size };
    });
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing) fail('BLOB_DAMAGED', { path, problem: 'it is missing' }, error);
    throw error;
  }
  if (found.sizeBytes !== sizeBytes) {
    fail('BLOB_DAMAGED', { path, problem: `it has ${found.sizeBytes} bytes instead of ${sizeBytes}` });
  }
  if (found.sha256 !== sha256) fail('BLOB_DAMAGED', { path, problem: `its SHA-256 is ${found.sha256}` });
}

async function fileMember(path: string, file: string): Promise<BackupMember> {
  const { sha256 } = await digestFile(file);
  return { path, sha256, sizeBytes: (await stat(file)).size };
}
