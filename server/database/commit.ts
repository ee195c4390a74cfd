import type Database from 'better-sqlite3';
import { FeedError } from '../errors.ts';
import type { Durability } from './durability.ts';
import { isDatabaseFull } from './file-problem.ts';
import type { Commit, Failure, Write } from './transact.ts';

/** Commits to SQLite. Each change is a savepoint, so that a failing one does not undo the others. */
export function createCommit(db: Database.Database, durability: Durability): Commit {
  const runAll = db.transaction((writes: readonly Write[]): readonly (Failure | undefined)[] => {
    const [first, ...others] = writes;
    // A single change needs no savepoint: if it throws, the whole transaction is undone.
    if (others.length === 0) {
      first?.run();
      return [];
    }
    return writes.map(({ run }) => {
      try {
        orStorageFull(() => db.transaction(run)());
        return undefined;
      } catch (error) {
        // A full disk rolls back the whole transaction, so none of its changes may be confirmed.
        if (!db.inTransaction) throw error;
        return { error };
      }
    });
  });

  function commit(writes: readonly Write[]): readonly (Failure | undefined)[] {
    try {
      return orStorageFull(() => durability.write(() => runAll.immediate(writes)));
    } catch (error) {
      return writes.map(() => ({ error }));
    }
  }

  return async (writes) => {
    const failures = commit(writes);
    const outcomes = writes.map((write, at) => ({ write, failure: failures[at] }));
    const committed = outcomes.filter(({ failure }) => failure === undefined);
    const broken = new Map(committed.map(({ write }) => [write, write.committed()]));
    const notDurable = committed.length === 0 ? undefined : await failureOf(durability.sync);
    for (const { write, failure } of outcomes) write.done(failure ?? notDurable ?? broken.get(write));
    await durability.settle?.();
  };
}

async function failureOf(wait: () => Promise<void>): Promise<Failure | undefined> {
  try {
    await wait();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** Translates a lack of space. @throws FeedError STORAGE_FULL */
function orStorageFull<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw isDatabaseFull(error) ? new FeedError('STORAGE_FULL', {}, error) : error;
  }
}
