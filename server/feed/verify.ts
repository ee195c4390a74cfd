import { pipeline } from 'node:stream/promises';
import { createDigester } from '../../formats/digest.ts';
import { dayMs } from '../../formats/duration.ts';
import type { BlobReader, StoredBlob } from '../blobs/blob-store.ts';
import type { CatalogSnapshot, NamedBlob } from '../catalog/snapshot.ts';
import { FeedError } from '../errors.ts';

export type DamagedBlob = {
  readonly sha256: string;
  /** The rows whose bytes are lost: `buf 1.32.0`, `dl/buf/1.32.0/buf-windows-amd64.exe`. */
  readonly names: readonly string[];
  readonly problem: string;
};

type Sources = { readonly snapshot: CatalogSnapshot; readonly blobs: BlobReader };
type Options = { readonly signal: AbortSignal; readonly onProgress: (bytes: number) => void };

/** Reads and hashes every blob that a row names, one at a time, whatever its size. */
export async function* findDamagedBlobs(
  { snapshot, blobs }: Sources,
  options: Options,
): AsyncGenerator<DamagedBlob> {
  for await (const blob of snapshot.blobs()) {
    const problem = await problemOf(blobs, blob, options);
    if (problem !== undefined) yield { sha256: blob.sha256, names: blob.names, problem };
  }
}

async function problemOf(
  blobs: BlobReader,
  { sha256, sha512s, sizeBytes }: NamedBlob,
  { signal, onProgress }: Options,
): Promise<string | undefined> {
  const digester = createDigester();
  digester.on('data', (chunk: Buffer) => onProgress(chunk.length));
  try {
    await pipeline(await blobs.open(sha256), digester, { signal });
  } catch (error) {
    if (signal.aborted || isAway(error)) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return code === 'ENOENT'
      ? 'its bytes are missing'
      : `its bytes cannot be read (${code || String(error)})`;
  }
  const found = digester.digest();
  if (found.sizeBytes !== sizeBytes) return `it has ${found.sizeBytes} bytes instead of ${sizeBytes}`;
  if (found.sha256 !== sha256) return `its SHA-256 is ${found.sha256} instead of ${sha256}`;
  const wrong = sha512s.find((sha512) => sha512 !== found.sha512);
  return wrong && `its SHA-512 is ${found.sha512}, the catalog says ${wrong}`;
}

/** Then nobody knows whether anything is damaged. */
function isAway(error: unknown): boolean {
  return error instanceof FeedError && error.code === 'BLOB_STORE_UNREACHABLE';
}

/** Blobs without a row, left by a push that was killed between its bytes and its row. */
export async function* findOrphans({ snapshot, blobs }: Sources): AsyncGenerator<StoredBlob> {
  for await (const blob of blobs.list()) {
    if (!(await snapshot.namesBlob(blob.sha256))) yield blob;
  }
}

/** The row may be written some time after the blob, so only older blobs count as orphans. */
const orphanAgeMs = dayMs;

export function isOldOrphan({ written }: StoredBlob, now: Date): boolean {
  return now.getTime() - written.getTime() > orphanAgeMs;
}

/** The payload of ours that a manifest's url names, whatever this server's address was when it was written. */
export function payloadOfAddress(
  url: string,
): { readonly tool: string; readonly version: string; readonly file: string } | undefined {
  const [, tool, version, file] =
    /^https?:\/\/[^?#]*\/dl\/([a-z0-9._-]+)\/([0-9A-Za-z.-]+)\/([a-z0-9._-]+)(?:#.*)?$/.exec(url) ?? [];
  return tool === undefined || version === undefined || file === undefined
    ? undefined
    : { tool, version, file };
}

export type ManifestPayload = {
  readonly channel: string;
  readonly tool: string;
  readonly url: string;
  readonly hash: string | undefined;
};

export type ManifestFault = { readonly kind: 'manifest' | 'purged'; readonly problem: string };

/** What is wrong with a payload that a manifest names; undefined if it is in the catalog. */
export async function faultOfPayload(
  snapshot: CatalogSnapshot,
  { url, hash }: ManifestPayload,
): Promise<ManifestFault | undefined> {
  const name = payloadOfAddress(url);
  if (name === undefined) return undefined;
  const payload = await snapshot.findPayload(name.tool, name.version, name.file);
  if (payload === undefined) {
    return (await snapshot.isPurged(name.tool, name.version))
      ? { kind: 'purged', problem: `${url} was purged: Scoop gets 410` }
      : { kind: 'manifest', problem: `${url} is not here: Scoop gets 404` };
  }
  const expected = hash?.toLowerCase().replace(/^sha256:/, '');
  return expected === payload.sha256
    ? undefined
    : { kind: 'manifest', problem: `${url} has SHA-256 ${payload.sha256}, its manifest says ${expected}` };
}
