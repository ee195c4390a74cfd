import type Database from 'better-sqlite3';
import type { Actor, Change } from '../audit/audit.ts';
import { FeedError } from '../errors.ts';
import { writeAuditEntry } from './audit-entry.ts';
import { isDatabaseFull } from './file-problem.ts';
import type { Prepare } from './statements.ts';

/** A change while it is being made. */
export type Transaction = {
  readonly prepare: Prepare;
  /** Writes an entry of the audit log, which is durable with the change or not at all. */
  record(change: Change, by: Actor, at: Date): void;
  /** Once the change is committed, and before anybody hears of it. */
  afterCommit(work: () => void): void;
};

/**
 * Makes a change together with its audit entries: both are durable when it resolves, or neither is there. The one way to change what
 * the database decides; statistics have a cheaper one (`Connection.writeStatistics`).
 * @throws FeedError STORAGE_FULL, and what `change` throws
 */
export type Transact = <T>(change: (transaction: Transaction) => T) => Promise<T>;

type Failure = { readonly error: unknown };
type Write = { readonly run: () => void; readonly done: (failure: Failure | undefined) => void };

/** Less than the fsync that it saves. */
const lingerMs = 2;

/**
 * Changes that come at the same time share one transaction, and with it one fsync: sixteen pushes, or an import, wait for the
 * disk once. Each is a savepoint of its own, so one that fails does not undo the others.
 */
export function createTransact(db: Database.Database, prepare: Prepare): Transact {
  let waiting: Write[] = [];
  let lastSize = 1;

  const runAll = db.transaction((writes: readonly Write[]): readonly (Failure | undefined)[] => {
    const [first, ...others] = writes;
    // Alone it needs no savepoint: what it throws undoes the whole transaction.
    if (others.length === 0) {
      first?.run();
      return [];
    }
    return writes.map(({ run }) => {
      try {
        orStorageFull(() => db.transaction(run)());
        return undefined;
      } catch (error) {
        // A full disk rolls the whole transaction back: nobody may be told that his part went well.
        if (!db.inTransaction) throw error;
        return { error };
      }
    });
  });

  function commit(): void {
    const writes = waiting;
    waiting = [];
    lastSize = writes.length;
    let failures: ReturnType<typeof runAll>;
    try {
      failures = orStorageFull(() => runAll.immediate(writes));
    } catch (error) {
      failures = writes.map(() => ({ error }));
    }
    for (const [at, { done }] of writes.entries()) done(failures[at]);
  }

  return (change) =>
    new Promise((resolve, reject) => {
      const hooks: (() => void)[] = [];
      const transaction: Transaction = {
        prepare,
        record: (entry, by, at) => writeAuditEntry(prepare, entry, by, at),
        afterCommit: (work) => void hooks.push(work),
      };
      let result: ReturnType<typeof change>;
      waiting.push({
        run() {
          result = change(transaction);
        },
        done(failure) {
          const broken = failure ?? firstFailure(hooks);
          if (broken === undefined) resolve(result);
          else reject(broken.error);
        },
      });
      if (waiting.length > 1) return;
      // Whoever is alone is not held up; where several came together last time, more are on their way.
      if (lastSize === 1) setImmediate(commit);
      else setTimeout(commit, lingerMs);
    });
}

/** Calls all, whatever one of them throws: by them caches learn what is committed. */
function firstFailure(hooks: readonly (() => void)[]): Failure | undefined {
  let first: Failure | undefined;
  for (const hook of hooks) {
    try {
      hook();
    } catch (error) {
      first ??= { error };
    }
  }
  return first;
}

/** What fails for want of room says so. @throws FeedError STORAGE_FULL */
function orStorageFull<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw isDatabaseFull(error) ? new FeedError('STORAGE_FULL', {}, error) : error;
  }
}
