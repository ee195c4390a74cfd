import { mkdir, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { fileReason } from '../../formats/file-reason.ts';
import type { Invocation } from '../../invocation.ts';
import { findStepsBack, listRefs, openRepository } from '../bucket/git-bundle.ts';
import { loadConfig } from '../config.ts';
import { openDataDir } from '../data-dir.ts';
import { fail } from '../errors.ts';
import type { BackupManifest } from '../feed/backup-format.ts';
import { syncTree } from '../feed/restore.ts';
import { endKeysAgain, haltRolloutsAgain, purgeAgain, recordRestore } from '../restored-folder.ts';
import { asSpaceError } from './disk-space.ts';
import { interruptible } from './interruptible.ts';
import { clearLeftovers } from './leftovers.ts';
import { restoreShared } from './restore-shared.ts';
import { chooseTarget, namesIn } from './restore-target.ts';
import { unpackBackup } from './unpack-backup.ts';

type Flags = {
  readonly into?: string;
  readonly replace: boolean;
  readonly acceptOlderBucket: boolean;
  readonly json: boolean;
};

/** The verb `feed:restore`: makes a data folder from a file that `feed:backup` wrote. */
export function createCommand(invocation: Invocation): Command {
  return new Command('feed:restore')
    .description('Restores a backup into a data folder, or into an empty PostgreSQL and object store.')
    .argument('<file>', 'what feed:backup wrote')
    .option('--into <dir>', 'data folder to make (default: DATA_DIR)')
    .option('--replace', 'move existing data aside, to DIR.before-TIME', false)
    .option('--accept-older-bucket', 'restore even if a branch goes back, which Scoop cannot follow', false)
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', help)
    .action((file: string, flags: Flags) => restore(invocation, resolve(invocation.cwd, file), flags));
}

const help = `
Everything is unpacked beside the folder and checked before anything is put in place; existing data is never deleted. No server
may be using the folder. When it fails, the folder is as it was.
With DATABASE_URL and BLOB_STORE, and without --into, the backup goes there: both have to be empty. It is unpacked in the system's
temporary folder (TMPDIR). Servers may be running on the empty feed; the restored content appears on all of them at once.`;

async function restore(invocation: Invocation, file: string, flags: Flags): Promise<void> {
  await stat(file).catch((error: Error) => fail('FILE_MISSING', { file, cause: fileReason(error) }, error));
  if (flags.into !== undefined)
    return restoreFolder(invocation, file, resolve(invocation.cwd, flags.into), flags);
  const { dataDir, databaseUrl, blobStore } = loadConfig(invocation.env);
  if (databaseUrl === undefined || blobStore === undefined)
    return restoreFolder(invocation, file, dataDir, flags);
  return restoreShared(invocation, file, { databaseUrl, blobStore }, flags);
}

async function restoreFolder(
  invocation: Invocation,
  file: string,
  named: string,
  flags: Flags,
): Promise<void> {
  const wasThere = (await namesIn(named)) !== undefined;
  const { release } = openDataDir(named);
  // If it is a link, its target is replaced: the link may lead to another disk.
  const dir = await realpath(named);
  let isDone = false;
  try {
    const place = await chooseTarget(dir, flags.replace);
    await clearLeftovers(place.staging, /^(blobs|bucket|bucket\.bundle|catalog\.db(-\w+)?)$/);
    try {
      const made = await interruptible(invocation.signal, 'nothing was changed.', () =>
        prepare(invocation, file, dir, place.staging, flags),
      );
      const movedTo = await place.putInPlace(release);
      isDone = true;
      tell(invocation, { file, dir, movedTo, ...made }, flags);
    } catch (error) {
      throw asSpaceError(error, dirname(place.staging));
    } finally {
      await rm(place.staging, { recursive: true, force: true });
    }
  } finally {
    release();
    if (!isDone && !wasThere) await rm(dir, { recursive: true, force: true });
  }
}

type Prepared = {
  readonly manifest: BackupManifest;
  /** Branches and tags that would go back. */
  readonly back: readonly string[];
  /** Other differences from the backup. */
  readonly notes: readonly string[];
};

/**
 * Prepares the whole folder next to the one that it will replace.
 * @throws FeedError BACKUP_INVALID, BACKUP_NEWER, CATALOG_NEWER, NO_ROOM, RESTORE_BACKWARD
 */
async function prepare(
  invocation: Invocation,
  file: string,
  dir: string,
  staging: string,
  { acceptOlderBucket }: Flags,
): Promise<Prepared> {
  const { signal } = invocation;
  await mkdir(staging, { mode: 0o700 });
  const manifest = await unpackBackup(invocation, file, staging);
  const back = await findLosses(invocation, dir, staging, manifest);
  if (back.length > 0 && !acceptOlderBucket) fail('RESTORE_BACKWARD', { dir, refs: back.join(', ') });
  signal.throwIfAborted();
  const notes = [
    purgeNote(await purgeAgain(dir, staging)),
    keysNote(await endKeysAgain(dir, staging)),
    rolloutNote(await haltRolloutsAgain(dir, staging)),
  ];
  const went = back.length === 0 ? '' : `; went back: ${back.join(', ')}`;
  await recordRestore(staging, basename(file), `as of ${manifest.time}${went}`);
  await syncTree(staging, signal);
  return { manifest, back, notes: notes.filter((note) => note !== undefined) };
}

function purgeNote(gone: number | undefined): string | undefined {
  if (gone === undefined) return 'The earlier database cannot be read; purge again what was purged in it.';
  return gone === 0 ? undefined : `Purged again, as in the folder that was there: ${gone}.`;
}

function keysNote(ended: number | undefined): string | undefined {
  if (ended === undefined)
    return 'The earlier keys cannot be read; revoke and rotate again the keys that were revoked and rotated since the backup.';
  return ended === 0
    ? undefined
    : `Keys revoked or rotated again, as in the folder that was there: ${ended}.`;
}

function rolloutNote(halted: Awaited<ReturnType<typeof haltRolloutsAgain>>): string | undefined {
  if (halted === undefined)
    return 'The earlier rollouts cannot be read; halt again what was halted or rolled back since the backup.';
  if (halted.length === 0) return undefined;
  const names = halted.map(({ tool, version }) => `${tool} ${version}`).join(', ');
  return `Rollouts halted, since they have been stopped in the folder that was there: ${names}.`;
}

/** Branches and tags that clients have and that would go back or vanish. A bucket that cannot be read is reported as such. */
async function findLosses(
  invocation: Invocation,
  dir: string,
  staging: string,
  { refs }: BackupManifest,
): Promise<string[]> {
  if ((await namesIn(join(dir, 'bucket', 'repo.git'))) === undefined) return [];
  try {
    const now = await listRefs(openRepository(join(dir, 'bucket'), invocation));
    return await findStepsBack(now, refs, openRepository(join(staging, 'bucket'), invocation));
  } catch {
    invocation.signal.throwIfAborted();
    invocation.stderr.write(
      'The bucket that is there cannot be read, so nobody can tell whether the backup is older.\n',
    );
    return ['perhaps every branch'];
  }
}

type Outcome = Prepared & {
  readonly file: string;
  readonly dir: string;
  readonly movedTo: string | undefined;
};

function tell({ stdout, stderr }: Invocation, outcome: Outcome, { json }: Flags): void {
  const { file, dir, movedTo, back, manifest, notes } = outcome;
  const { counts, time, missing } = manifest;
  for (const note of notes) stderr.write(`${note}\n`);
  if (back.length > 0)
    stderr.write(`Went back: ${back.join(', ')}. Scoop clients must remove the bucket and add it again.\n`);
  if (missing.length > 0)
    stderr.write(`${missing.length} blobs were damaged when the backup was made; feed:verify names them.\n`);
  if (json) {
    stdout.write(
      `${JSON.stringify({ file, dir, movedTo: movedTo ?? null, time, ...counts, wentBack: back, missing })}\n`,
    );
    return;
  }
  stdout.write(
    `${dir}: ${counts.packages} packages, ${counts.payloads} payloads, ${counts.keys} keys as of ${time}.\n`,
  );
  if (movedTo !== undefined) stdout.write(`The earlier data is in ${movedTo}.\n`);
}
