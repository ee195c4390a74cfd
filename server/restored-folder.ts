/** What a restore does in the folder that it has prepared, before that is put in place (decision 37). */
import { existsSync } from 'node:fs';
import { operator } from './audit/audit.ts';
import { openDiskStore } from './blobs/disk-store.ts';
import { forgetHistory } from './bucket/sql-shared-history.ts';
import { createSqlCatalog } from './catalog/sql/catalog.ts';
import { createSqlPendingBlobs } from './catalog/sql/pending-blobs.ts';
import { createSqlPurgeQueue } from './catalog/sql/purge.ts';
import { keepTombstones, tombstonesOf } from './catalog/sql/tombstones.ts';
import { pathsIn } from './data-dir.ts';
import { openDatabase } from './database/connection.ts';
import { createSqlAudit } from './database/sql-audit.ts';
import { createBlobFlusher } from './feed/flush-blobs.ts';
import { createPurging } from './feed/purge.ts';
import { applyKeyStates, readKeyStates } from './keys/sql-key-states.ts';
import { createLogger } from './log.ts';
import { haltAgain, readStopped, type Stopped } from './rollout/sql-halt-again.ts';
import { applyTrustStates, nothingTrusted, readTrustStates } from './trust/sql-trust-states.ts';

/**
 * Purges in a restored folder what is purged in the folder that it replaces, so that an older backup does not bring it back.
 * Returns how many versions were affected; undefined when the replaced folder cannot tell.
 */
export async function purgeAgain(replaced: string, dir: string): Promise<number | undefined> {
  const { database } = pathsIn(replaced);
  const tombstones = existsSync(database) ? tombstonesOf(database) : [];
  if (tombstones === undefined || tombstones.length === 0) return tombstones?.length;
  const paths = pathsIn(dir);
  const now = (): Date => new Date();
  const log = createLogger('warn');
  const db = openDatabase(paths.database);
  try {
    await keepTombstones(db, tombstones);
    const blobs = await openDiskStore(paths.blobs);
    const blobFlusher = createBlobFlusher({ blobs, pendingBlobs: createSqlPendingBlobs(db), log });
    // A backup stores blobs under other paths than flushing expects; this writes the files anew.
    await blobFlusher.recover();
    await blobFlusher.flush();
    const purging = createPurging({
      catalog: createSqlCatalog(db, now),
      blobs,
      blobFlusher,
      purgeQueue: createSqlPurgeQueue(db),
      bucket: {
        listManifests: async () => [],
        between: (work) => work(),
        finishCommits: async () => undefined,
      },
      lockForRemoving: async () => () => undefined,
      log,
    });
    const reason = 'it was purged before this backup was restored';
    let count = 0;
    for (const { id, version } of tombstones) {
      // Whether the bucket offers it does not matter: that was decided when it was purged.
      const { files } = await purging.purge({ id, version, reason, force: true }, operator);
      if (files.length > 0) count += 1;
    }
    await purging.close();
    return count;
  } finally {
    db.close();
  }
}

/** Migrates an unpacked database to this program's schema and records the restore in its audit log. */
export async function recordRestore(dir: string, file: string, detail: string): Promise<void> {
  const database = openDatabase(pathsIn(dir).database);
  try {
    const audit = createSqlAudit(database, () => new Date());
    await database.transact(({ prepare }) => forgetHistory(prepare));
    await audit.record([{ kind: 'data restored', subject: file, detail }], operator);
  } finally {
    database.close();
  }
}

/**
 * Ends keys and secrets in a restored folder that have ended in the folder that it replaces, so that an older backup does not
 * bring back a key that leaked and was revoked; and publishers, issuers and tokens likewise. Returns how many keys changed; undefined when the replaced folder cannot be read.
 */
export async function endKeysAgain(replaced: string, dir: string): Promise<number | undefined> {
  const { database } = pathsIn(replaced);
  const stands = existsSync(database) ? readKeyStates(database) : { keys: [], oldSecrets: [] };
  const trusts = existsSync(database) ? readTrustStates(database) : nothingTrusted;
  if (stands === undefined || trusts === undefined) return undefined;
  const db = openDatabase(pathsIn(dir).database);
  try {
    await applyTrustStates(db, trusts, new Date());
    return await applyKeyStates(db, stands, new Date());
  } finally {
    db.close();
  }
}

/**
 * Halts rollouts in a restored folder that have been halted or rolled back in the folder that it replaces: it is the state of the
 * backup but for that (interface section 8). Undefined when the replaced folder cannot be read.
 */
export async function haltRolloutsAgain(
  replaced: string,
  dir: string,
): Promise<readonly Stopped[] | undefined> {
  const { database } = pathsIn(replaced);
  const stopped = existsSync(database) ? readStopped(database) : [];
  if (stopped === undefined || stopped.length === 0) return stopped;
  const db = openDatabase(pathsIn(dir).database);
  try {
    return await haltAgain(db, stopped, new Date());
  } finally {
    db.close();
  }
}
