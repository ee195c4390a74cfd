import type Database from 'better-sqlite3';
import type { Actor, Change } from '../audit/audit.ts';
import { FeedError } from '../errors.ts';
import { writeAuditEntry } from './audit-entry.ts';
import type { Durability } from './durability.ts';
import { isDatabaseFull } from './file-problem.ts';
import type { Prepare } from './statements.ts';

/** A change in progress. */
export type Transaction = {
  readonly prepare: Prepare;
  /** Adds an entry to the audit log, which is durable together with the change or not at all. */
  record(change: Change, by: Actor, at: Date): void;
  /** Runs when the change can be seen, which is before it is durable and anybody gets the confirmation. */
  afterCommit(work: () => void): void;
};

/**
 * Makes a change together with its audit entries: either both are durable when it resolves, or neither exists. The only way to
 * change anything that matters; statistics have a cheaper one (`Connection.writeStatistics`).
 * @throws FeedError STORAGE_FULL, and what `change` throws
 */
export type Transact = <T>(change: (transaction: Transaction) => T) => Promise<T>;

type Failure = { readonly error: unknown };
type Write = {
  readonly run: () => void;
  /** What follows from the commit. */
  readonly committed: () => Failure | undefined;
  readonly done: (failure: Failure | undefined) => void;
};

/**
 * A change is committed at once. Those that come while the disk is being waited for share the next transaction and so the next
 * fsync: sixteen pushes, or an import, wait for the disk once or twice. Each is a savepoint, so that a failing one does not undo the others.
 */
export function createTransact(db: Database.Database, prepare: Prepare, durability: Durability): Transact {
  let waiting: Write[] = [];
  let isBusy = false;

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

  async function commitWaiting(): Promise<void> {
    const writes = waiting;
    waiting = [];
    const failures = commit(writes);
    const outcomes = writes.map((write, at) => ({ write, failure: failures[at] }));
    const committed = outcomes.filter(({ failure }) => failure === undefined);
    const broken = new Map(committed.map(({ write }) => [write, write.committed()]));
    const notDurable = committed.length === 0 ? undefined : await failureOf(durability.sync);
    for (const { write, failure } of outcomes) write.done(failure ?? notDurable ?? broken.get(write));
  }

  async function work(): Promise<void> {
    while (waiting.length > 0) await commitWaiting();
    isBusy = false;
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
        committed: () => firstFailure(hooks),
        done(failure) {
          if (failure === undefined) resolve(result);
          else reject(failure.error);
        },
      });
      if (isBusy) return;
      isBusy = true;
      queueMicrotask(work);
    });
}

async function failureOf(wait: () => Promise<void>): Promise<Failure | undefined> {
  try {
    await wait();
    return undefined;
  } catch (error) {
    return { error };
  }
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
