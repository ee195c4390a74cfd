import { type Connection, durably } from './connection.ts';

type Failure = { readonly error: unknown };
type Write = { readonly run: () => void; readonly done: (failure: Failure | undefined) => void };

/** Less than the fsync that it saves. */
const lingerMs = 2;

/**
 * Changes that come at the same time share one transaction, and with it one fsync: sixteen pushes, or an import, wait for the
 * disk once. Each is a savepoint of its own, so that one that fails takes no other along. Resolves once all is durable.
 * @throws FeedError STORAGE_FULL, and what `write` throws
 */
export function createGroupCommit(db: Connection): <T>(write: () => T) => Promise<T> {
  let waiting: Write[] = [];
  let lastSize = 1;

  const runAll = db.transaction((writes: readonly Write[]) =>
    writes.map(({ run }): Failure | undefined => {
      try {
        durably(() => db.transaction(run)());
        return undefined;
      } catch (error) {
        // A full disk rolls the whole transaction back: nobody may be told that his part went well.
        if (!db.inTransaction) throw error;
        return { error };
      }
    }),
  );

  function commit(): void {
    const writes = waiting;
    waiting = [];
    lastSize = writes.length;
    try {
      const failures = durably(() => runAll.immediate(writes));
      for (const [at, { done }] of writes.entries()) done(failures[at]);
    } catch (error) {
      for (const { done } of writes) done({ error });
    }
  }

  return (write) =>
    new Promise((resolve, reject) => {
      let result: ReturnType<typeof write>;
      waiting.push({
        run: () => {
          result = write();
        },
        done: (failure) => (failure === undefined ? resolve(result) : reject(failure.error)),
      });
      if (waiting.length > 1) return;
      // Whoever is alone is not held up; where several came together last time, more are on their way.
      if (lastSize === 1) setImmediate(commit);
      else setTimeout(commit, lingerMs);
    });
}
