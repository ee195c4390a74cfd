import type { Connection } from '../../database/connection.ts';
import type { Transaction } from '../../database/transact.ts';
import type { RevisionNumbers, Revisions } from '../revisions.ts';

export type SqlRevisions = Revisions & {
  readonly numbers: RevisionNumbers;
  /** Notes in a change of packages which ids, in lower case, it touches. A change that is rolled back leaves no trace. */
  change(transaction: Transaction, ids: readonly string[]): void;
  /** The same for a write of counts, which is done in `write`. */
  countsOf(ids: Iterable<string>, write: () => void): void;
  /** Calls back after each change of packages, before anybody is answered that it is done. */
  onChange(listener: (ids: readonly string[]) => void): void;
};

/** So many ids are remembered by themselves; all others count as changed when the last forgotten one was. */
const maxRemembered = 10_000;

/** In memory: this process alone writes to the database, under the lock of the data folder, so that it misses no change. */
export function createSqlRevisions({ prepare, writeStatistics }: Connection): SqlRevisions {
  const latest = { all: createLatest(stored()), packages: createLatest(stored()) };
  const numbers: RevisionNumbers = {
    all: (id) => latest.all.of(id?.toLowerCase()),
    packages: (id) => latest.packages.of(id?.toLowerCase()),
  };

  const listeners: ((ids: readonly string[]) => void)[] = [];

  function stored(): number {
    const row = prepare('SELECT revision FROM state').get() as { revision: number } | undefined;
    return row?.revision ?? 0;
  }

  function bump(): void {
    prepare('UPDATE state SET revision = revision + 1').run();
  }

  return {
    numbers,
    known: () => numbers,
    read: async () => numbers,
    change(transaction, ids) {
      bump();
      transaction.afterCommit(() => {
        const now = stored();
        for (const idKey of ids) {
          latest.all.note(idKey, now);
          latest.packages.note(idKey, now);
        }
        for (const listener of listeners) listener(ids);
      });
    },
    onChange: (listener) => void listeners.push(listener),
    countsOf(ids, write) {
      writeStatistics(() => {
        write();
        bump();
      });
      const now = stored();
      for (const idKey of ids) latest.all.note(idKey, now);
    },
  };
}

/** When each id changed last, and any of them. */
function createLatest(start: number) {
  const ofId = new Map<string, number>();
  let ofAny = start;
  let ofOthers = start;
  return {
    note(idKey: string, at: number): void {
      // Last in the map, which begins with what changed longest ago.
      ofId.delete(idKey);
      ofId.set(idKey, at);
      ofAny = at;
      if (ofId.size <= maxRemembered) return;
      const [[oldest, then] = ['', start]] = ofId;
      ofId.delete(oldest);
      ofOthers = then;
    },
    of: (idKey?: string): number => (idKey === undefined ? ofAny : (ofId.get(idKey) ?? ofOthers)),
  };
}
