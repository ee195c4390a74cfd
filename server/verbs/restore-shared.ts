import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { withTempDir } from '../../formats/scoped.ts';
import type { Invocation } from '../../invocation.ts';
import { openRepository } from '../bucket/git-bundle.ts';
import { fail } from '../errors.ts';
import type { BackupManifest } from '../feed/backup-format.ts';
import { recordRestore } from '../restored-folder.ts';
import type { SharedStores } from '../shared-reading.ts';
import type { SharedTarget } from '../shared-restore.ts';
import { bytesIn } from './backup-size.ts';
import { asSpaceError } from './disk-space.ts';
import { interruptible } from './interruptible.ts';
import { withProgress } from './progress.ts';
import { unpackBackup } from './unpack-backup.ts';

type Flags = { readonly replace: boolean; readonly json: boolean };

/** Fills an empty PostgreSQL and an empty object store: the way from one server to many. */
export async function restoreShared(
  invocation: Invocation,
  file: string,
  stores: SharedStores,
  { replace, json }: Flags,
): Promise<void> {
  if (replace) fail('RESTORE_SHARED');
  // Loaded only where it is needed: it brings the drivers with it.
  const { openSharedTarget } = await import('../shared-restore.ts');
  await withTempDir(join(tmpdir(), 'go-win-tools-restore-'), async (dir) => {
    const target = await openSharedTarget(stores, join(dir, 'uploads'));
    try {
      const state = 'the database is as it was; the next run takes up what is in the object store.';
      const manifest = await interruptible(invocation.signal, state, () =>
        prepare(invocation, file, join(dir, 'unpacked'), target),
      );
      await target.takeOver(join(dir, 'unpacked'), bucketIn(invocation, join(dir, 'unpacked')));
      tell(invocation, file, target, manifest, json);
    } catch (error) {
      throw asSpaceError(error, dir);
    }
  });
}

/** Everything but the moment in which the database gets it. */
async function prepare(
  invocation: Invocation,
  file: string,
  dir: string,
  target: SharedTarget,
): Promise<BackupManifest> {
  const { stderr, signal } = invocation;
  await mkdir(dir, { mode: 0o700 });
  const manifest = await unpackBackup(invocation, file, dir, (found) =>
    target.requireEmptyStore(new Set(blobsIn(found))),
  );
  await recordRestore(dir, basename(file), `as of ${manifest.time}`);
  await withProgress(stderr, 'Uploading', { bytes: bytesIn(manifest) }, (onProgress) =>
    target.upload(dir, blobsIn(manifest), { signal, onProgress }),
  );
  return manifest;
}

function blobsIn({ members }: BackupManifest): string[] {
  return members.filter(({ path }) => path.startsWith('blobs/')).map(({ sha256 }) => sha256);
}

function bucketIn(invocation: Invocation, dir: string) {
  return openRepository(join(dir, 'bucket'), invocation);
}

const note = `Keys that were revoked or rotated since the backup, trusted publishers and issuers that were removed since, keys that issuers
replaced, and versions that were purged are as they were then: nobody can tell that from the backup. Revoke, rotate and purge
them again, remove those publishers and issuers again, and run \`feed:keys issuer refresh\`. Rollouts go on, too: halt again what
was halted or rolled back since.
`;

function tell(
  { stdout, stderr }: Invocation,
  file: string,
  { database, blobStore }: SharedTarget,
  { counts, time, missing }: BackupManifest,
  json: boolean,
): void {
  stderr.write(note);
  if (missing.length > 0)
    stderr.write(`${missing.length} blobs were damaged when the backup was made; feed:verify names them.\n`);
  stdout.write(
    json
      ? `${JSON.stringify({ file, database, blobStore, time, ...counts, missing })}\n`
      : `${database} and ${blobStore}: ${counts.packages} packages, ${counts.payloads} payloads, ${counts.keys} keys as of ${time}.\n`,
  );
}
