import { inSpan } from '../../tracing/spans.ts';
import type { Actor, Change } from '../audit/audit.ts';
import { writeAuditEntry } from './audit-entry.ts';
import { requirePresentKey } from './present-key.ts';
import type { Prepare } from './statements.ts';

/** A change in progress. */
export type Transaction = {
  readonly prepare: Prepare;
  /**
   * Adds an entry to the audit log, which is durable together with the change or not at all.
   * @throws FeedError KEY_REVOKED where `by` makes the change now, with a key that was revoked meanwhile
   */
  record(change: Change, by: Actor, at: Date): void;
  /** Runs when the change can be seen, which is before anybody gets the confirmation. */
  afterCommit(work: () => void): void;
};

/**
 * Makes a change together with its audit entries: either both are durable when it resolves, or neither exists. The only way to
 * change anything that matters; statistics have a cheaper one (`Connection.writeStatistics`). On a replica a change may be made
 * more than once before it is committed, each time from the newest state.
 * @param is `isTold: false`: no client learns of it, so it need not be seen by every replica when it resolves
 * @throws FeedError STORAGE_FULL, and what `change` throws
 */
export type Transact = <T>(
  change: (transaction: Transaction) => T,
  is?: { readonly isTold: boolean },
) => Promise<T>;

export type Failure = { readonly error: unknown };
/** A change that waits for its commit. */
export type Write = {
  /** Makes the change; throws what it throws. */
  readonly run: () => void;
  /** What follows from the commit: call it when the change can be seen. */
  readonly committed: () => Failure | undefined;
  /** Answers whoever waits. */
  readonly done: (failure: Failure | undefined) => void;
};

/**
 * Commits some changes together, each for itself: one that fails does not undo the others. Calls `done` of each in the end;
 * resolves when the next ones can be committed. Never rejects.
 */
export type Commit = (writes: readonly Write[]) => Promise<void>;

/**
 * A change is committed at once. Those that come while the disk, or the database, is being waited for share the next transaction and so the
 * next wait: sixteen pushes, or an import, wait once or twice.
 * @param maxTogether how many share one transaction at most
 */
export function createTransact(
  prepare: Prepare,
  commit: Commit,
  maxTogether = Number.POSITIVE_INFINITY,
): Transact {
  let waiting: Write[] = [];
  let isBusy = false;

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const writes = waiting.slice(0, maxTogether);
      waiting = waiting.slice(maxTogether);
      await commit(writes);
    }
    isBusy = false;
  }

  return (change) => inSpan('database transaction', () => enqueue(change));

  function enqueue<T>(change: (transaction: Transaction) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let hooks: (() => void)[] = [];
      const transaction: Transaction = {
        prepare,
        record(entry, by, at) {
          requirePresentKey(prepare, by);
          writeAuditEntry(prepare, entry, by, at);
        },
        afterCommit: (work) => void hooks.push(work),
      };
      let result: ReturnType<typeof change>;
      waiting.push({
        run() {
          hooks = [];
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
