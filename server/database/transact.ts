import type Database from 'better-sqlite3';
import type { Actor, Change } from '../audit/audit.ts';
import { FeedError } from '../errors.ts';
import { writeAuditEntry } from './audit-entry.ts';
import { isDatabaseFull } from './file-problem.ts';
import type { Prepare } from './statements.ts';

/** A change in progress. */
export type Transaction = {
  readonly prepare: Prepare;
  /** Adds an entry to the audit log, which is durable together with the change or not at all. */
  record(change: Change, by: Actor, at: Date): void;
  /** Runs after the change is committed and before anybody gets the confirmation. */
  afterCommit(work: () => void): void;
};

/**
 * Makes a change together with its audit entries: either both are durable when it resolves, or neither exists. The only way to
 * change anything that matters; statistics have a cheaper one (`Connection.writeStatistics`).
 * @throws FeedError STORAGE_FULL, and what `change` throws
 */
export type Transact = <T>(change: (transaction: Transaction) => T) => Promise<T>;

type Failure = { readonly error: unknown };
type Write = { readonly run: () => void; readonly done: (failure: Failure | undefined) => void };

/** Shorter than the fsync that it saves. */
const lingerMs = 2;

/**
 * Simultaneous changes share one transaction and so one fsync: sixteen pushes, or an import, wait for the disk once. Each is a
 * savepoint, so that a failing one does not undo the others.
 */
export function createTransact(db: Database.Database, prepare: Prepare): Transact {
  let waiting: Write[] = [];
  let lastSize = 1;

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
      // A single change is not delayed; if several came together last time, more are probably on their way.
      if (lastSize === 1) setImmediate(commit);
      else setTimeout(commit, lingerMs);
    });
}

/** Calls all of them even if some throw, because this is how caches learn what was committed. */
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

/** Translates a lack of space. @throws FeedError STORAGE_FULL */
function orStorageFull<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw isDatabaseFull(error) ? new FeedError('STORAGE_FULL', {}, error) : error;
  }
}
