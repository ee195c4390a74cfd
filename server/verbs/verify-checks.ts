import { join } from 'node:path';
import type { Invocation } from '../../invocation.ts';
import type { AuditEntry } from '../audit/audit.ts';
import { verifyChain } from '../audit/verify.ts';
import type { BlobReader, StoredBlob } from '../blobs/blob-store.ts';
import type { Git } from '../bucket/git-backend.ts';
import { findDamage, openRepository } from '../bucket/git-bundle.ts';
import { readManifestFile } from '../bucket/manifest-file.ts';
import { createManifestReader } from '../bucket/manifest-reader.ts';
import { channels } from '../bucket/push.ts';
import type { CatalogSnapshot } from '../catalog/snapshot.ts';
import { FeedError } from '../errors.ts';
import { faultOfPayload, findDamagedBlobs, findOrphans, type ManifestPayload } from '../feed/verify.ts';
import type { Reading } from '../reading.ts';
import { withProgress } from './progress.ts';

export type Fault = {
  readonly kind: 'database' | 'latest flags' | 'audit log' | 'bytes' | 'bucket' | 'manifest' | 'purged';
  /** `buf 1.32.0`, `dl/buf/1.32.0/buf-windows-amd64.exe`, `main buf`. */
  readonly subject: string;
  readonly problem: string;
};

export type Findings = {
  readonly packages: number;
  readonly payloads: number;
  readonly faults: readonly Fault[];
  readonly orphans: readonly StoredBlob[];
};

/** What to do about each kind of fault. */
export const advice: Readonly<Record<Fault['kind'], string>> = {
  database: 'stop the server and restore the last backup (feed:restore --replace)',
  'latest flags': 'unlist any version of it and list it again, which sets them again',
  'audit log': 'somebody changed the database by hand; compare with a backup (feed:audit verify)',
  bytes:
    'put the file back from a backup or an export, as blobs/ab/SHA256 in the data folder, or PREFIX/ab/SHA256 in the object store (ab: how the SHA-256 begins); pushing the same bytes again repairs missing and damaged files of payloads',
  bucket:
    'stop the server and restore the folder bucket from a backup, or from an up-to-date clone; with an object store, put the object that it names back',
  manifest: 'PUT the payload again, with the bytes that the manifest names',
  purged:
    'it does not come back: put another version on the branch (release:withdraw TOOL@VERSION, or release a newer one)',
};

/**
 * All checks of feed:verify. The bucket is read before the database, so that no manifest is newer than the rows that it is
 * compared with.
 */
export async function checkAll(invocation: Invocation, reading: Reading, tempDir: string): Promise<Findings> {
  const bucket = await checkBucket(invocation, reading);
  const snapshot = await reading.takeSnapshot(join(tempDir, 'catalog.db'));
  try {
    const damage = await snapshot.findDamage();
    // The rows of a damaged database cannot be checked.
    if (damage.length > 0) {
      const faults = damage.map((problem) => fault('database', 'catalog.db', problem));
      return { packages: 0, payloads: 0, faults: [...bucket.faults, ...faults], orphans: [] };
    }
    const { packages, payloads } = await snapshot.counts();
    const faults = [
      ...bucket.faults,
      ...(await checkManifestPayloads(bucket.manifestPayloads, snapshot)),
      ...(await snapshot.findWrongLatest()).map((id) =>
        fault('latest flags', id, 'other versions bear them than should'),
      ),
      ...(await checkAuditLog(snapshot, invocation.signal)),
      ...(await checkBytes(invocation, snapshot, reading.blobs)),
    ];
    const orphans: StoredBlob[] = [];
    for await (const orphan of findOrphans({ snapshot, blobs: reading.blobs })) {
      invocation.signal.throwIfAborted();
      orphans.push(orphan);
    }
    return { packages, payloads, faults, orphans };
  } finally {
    await snapshot.close();
  }
}

async function checkBucket(invocation: Invocation, reading: Reading) {
  const git = await openSound(invocation, reading);
  const manifestPayloads: { channel: string; tool: string; url: string; hash: string | undefined }[] = [];
  if (typeof git === 'string') {
    return { faults: [fault('bucket', 'repo.git', git.replace(/\s+/g, ' '))], manifestPayloads };
  }
  const reader = createManifestReader(git);
  for (const channel of channels) {
    for (const { tool, text } of await reader.listManifests(channel)) {
      const { downloads } = readManifestFile(Buffer.from(text));
      manifestPayloads.push(...downloads.map(({ url, hash }) => ({ channel, tool, url, hash })));
    }
  }
  return { faults: [], manifestPayloads };
}

/** The bucket, or what is wrong with it. */
async function openSound(invocation: Invocation, { openBucket }: Reading): Promise<Git | string> {
  try {
    const git = openRepository(await openBucket(), invocation);
    return (await findDamage(git)) ?? git;
  } catch (error) {
    if (error instanceof FeedError && error.code === 'BUCKET_OBJECT_DAMAGED')
      return `${error.details.problem}`;
    throw error;
  }
}

async function checkManifestPayloads(
  manifestPayloads: readonly ManifestPayload[],
  snapshot: CatalogSnapshot,
): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const payload of manifestPayloads) {
    const broken = await faultOfPayload(snapshot, payload);
    if (broken === undefined) continue;
    faults.push(fault(broken.kind, `${payload.channel} ${payload.tool}`, broken.problem));
  }
  return faults;
}

async function checkBytes(
  { stderr, signal }: Invocation,
  snapshot: CatalogSnapshot,
  blobs: BlobReader,
): Promise<Fault[]> {
  let bytes = 0;
  for await (const { sizeBytes } of snapshot.blobs()) bytes += sizeBytes;
  return withProgress(stderr, 'Reading', { bytes }, async (onProgress) => {
    const faults: Fault[] = [];
    for await (const { names, sha256, problem } of findDamagedBlobs(
      { snapshot, blobs },
      { signal, onProgress },
    )) {
      faults.push(...names.map((name) => fault('bytes', name, `${problem} (blob ${sha256})`)));
    }
    return faults;
  });
}

async function checkAuditLog({ audit }: CatalogSnapshot, signal: AbortSignal): Promise<Fault[]> {
  if (audit === undefined) return [];
  const { list } = audit;
  async function* entries(): AsyncGenerator<AuditEntry> {
    let page: AuditEntry[];
    let after = 0;
    do {
      signal.throwIfAborted();
      page = await list({ after, limit: 1000 });
      yield* page;
      after = page.at(-1)?.number ?? after;
    } while (page.length > 0);
  }
  const { broken } = await verifyChain(entries());
  return broken === undefined ? [] : [fault('audit log', `entry ${broken.number}`, broken.problem)];
}

function fault(kind: Fault['kind'], subject: string, problem: string): Fault {
  return { kind, subject, problem };
}
