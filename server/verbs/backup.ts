import { access, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { fileReason } from '../../formats/file-reason.ts';
import { messageOf } from '../../formats/thrown.ts';
import type { Invocation } from '../../invocation.ts';
import type { Backup } from '../audit/backups.ts';
import type { Git } from '../bucket/git-backend.ts';
import { findDamage, openRepository, writeBundle } from '../bucket/git-bundle.ts';
import type { CatalogSnapshot } from '../catalog/snapshot.ts';
import { loadConfig } from '../config.ts';
import { fail } from '../errors.ts';
import { planBackup, writeBackup } from '../feed/backup.ts';
import type { BackupManifest } from '../feed/backup-format.ts';
import { readBackup, syncFolder } from '../feed/restore.ts';
import { findDamagedBlobs } from '../feed/verify.ts';
import { openReading, type Reading } from '../reading.ts';
import { bytesIn, sizeOf } from './backup-size.ts';
import { asSpaceError, requireSpace } from './disk-space.ts';
import { interruptible } from './interruptible.ts';
import { clearLeftovers } from './leftovers.ts';
import { printBytes } from './print.ts';
import { withProgress } from './progress.ts';

type Flags = {
  readonly verify: boolean;
  readonly replace: boolean;
  readonly skipDamaged: boolean;
  readonly json: boolean;
};

/** The verb `feed:backup`: everything that a server needs to go on elsewhere, in one file. */
export function createCommand(invocation: Invocation): Command {
  return new Command('feed:backup')
    .description('Writes the whole feed to one tar file, with or without a running server.')
    .argument('<file>', 'new file; gzipped when its name ends in .tgz or .gz')
    .option('--no-verify', 'do not check database and bucket, and do not read the file again')
    .option('--replace', 'replace FILE if it exists', false)
    .option(
      '--skip-damaged',
      'leave out blobs whose bytes are damaged, instead of ending with an error',
      false,
    )
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', help)
    .action((file: string, flags: Flags) => backup(invocation, resolve(invocation.cwd, file), flags));
}

const help = `
With DATABASE_URL and BLOB_STORE it backs up the shared database and object store. The file has the packages, listed or not, payloads,
the bucket, rollouts, the audit log and hashes of the keys. No key can be recovered from it, but protect it like the feed.
If the backup fails, FILE is unchanged.`;

async function backup(invocation: Invocation, file: string, flags: Flags): Promise<void> {
  const config = loadConfig(invocation.env);
  if (!flags.replace && (await isThere(file))) fail('FILE_EXISTS', { file });
  // One name for incomplete backups, so that the next run removes what a killed one left.
  const part = `${file}.part`;
  await clearLeftovers(part, /^(tar|bucket\.bundle|catalog\.db(-\w+)?)$/);
  const reading = await openReading(config, invocation.env);
  try {
    await mkdir(part, { mode: 0o700 }).catch((error: Error) =>
      fail('FILE_UNUSABLE', { file, cause: `the folder ${dirname(file)}: ${fileReason(error)}` }, error),
    );
    const manifest = await interruptible(invocation.signal, 'no backup was written.', () =>
      writePart(invocation, reading, part, { ...flags, file }),
    );
    await rename(join(part, 'tar'), file);
    await syncFolder(dirname(file));
    await note(invocation, reading, { at: new Date(manifest.time), sizeBytes: (await stat(file)).size });
    await tell(invocation, file, manifest, flags);
  } catch (error) {
    throw asSpaceError(error, dirname(file));
  } finally {
    await reading.close();
    await rm(part, { recursive: true, force: true });
  }
}

/** The order bucket, database, blobs is explained in feed/backup.ts. */
async function writePart(
  invocation: Invocation,
  reading: Reading,
  part: string,
  { verify, skipDamaged, file }: Flags & { readonly file: string },
): Promise<BackupManifest> {
  const { signal, version, stderr } = invocation;
  const bundle = join(part, 'bucket.bundle');
  const git = openRepository(await reading.openBucket(), invocation);
  const refs = await writeBundle(git, bundle);
  const snapshot = await reading.takeSnapshot(join(part, 'catalog.db'));
  try {
    if (verify) await requireSound(reading, snapshot, git);
    const sources = { bundle: { file: bundle, refs }, snapshot, blobs: reading.blobs };
    const missing = new Set<string>();
    if (skipDamaged) {
      for await (const { sha256 } of findDamagedBlobs(sources, { signal, onProgress: () => undefined }))
        missing.add(sha256);
    }
    const now = new Date();
    const isGzipped = /\.t?gz$/i.test(file);
    const manifest = await planBackup(sources, { program: version, now, missing });
    const bytes = sizeOf(manifest);
    if (!isGzipped) await requireSpace(part, bytes);
    const tar = join(part, 'tar');
    const choice = { program: version, now, isGzipped, missing, signal };
    await withProgress(stderr, 'Writing', { bytes }, (onProgress) =>
      writeBackup(sources, manifest, tar, { ...choice, onProgress }),
    );
    if (verify) {
      await withProgress(stderr, 'Checking', { bytes: bytesIn(manifest) }, (onProgress) =>
        readBackup(tar, undefined, { signal, onProgress }),
      );
    }
    return manifest;
  } finally {
    await snapshot.close();
  }
}

/** Checks what a restore would refuse, so that it shows now and not when the backup is needed. */
async function requireSound({ database }: Reading, snapshot: CatalogSnapshot, git: Git): Promise<void> {
  const [problem] = await snapshot.findDamage();
  if (problem !== undefined) fail('CATALOG_DAMAGED', { file: database, problem });
  const damage = await findDamage(git);
  if (damage !== undefined)
    fail('BUCKET_DAMAGED', { dir: dirname(git.dir), problem: damage.replace(/\s+/g, ' ') });
}

/** For the metrics. The backup is good without it. */
async function note({ stderr }: Invocation, reading: Reading, backup: Backup): Promise<void> {
  try {
    if (await reading.noteBackup(backup)) return;
    stderr.write('The time of this backup is not noted: the database is of an earlier version.\n');
  } catch (error) {
    stderr.write(
      `The backup is written, but its time could not be noted, so that the metrics show the one before: ${messageOf(error)}\n`,
    );
  }
}

async function tell(
  { stdout, stderr }: Invocation,
  file: string,
  { counts, missing, time, members }: BackupManifest,
  { json, verify }: Flags,
): Promise<void> {
  const { size } = await stat(file);
  const blobs = members.length - 2;
  if (missing.length > 0)
    stderr.write(`Left out ${missing.length} damaged blobs; feed:verify names their packages.\n`);
  if (json) {
    stdout.write(
      `${JSON.stringify({ file, sizeBytes: size, time, ...counts, blobs, missing, isVerified: verify })}\n`,
    );
    return;
  }
  stdout.write(
    `${file}: ${printBytes(size)}, ${counts.packages} packages, ${counts.payloads} payloads, ${counts.keys} keys${verify ? ', every digest checked' : ''}.\n`,
  );
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
