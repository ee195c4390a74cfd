import type { Connection } from '../../database/connection.ts';
import type { Transaction } from '../../database/transact.ts';
import type { RevisionNumbers, Revisions } from '../revisions.ts';

export type SqlRevisions = Revisions & {
  readonly numbers: RevisionNumbers;
  /** Notes which ids, in lower case, a change of packages affects. A change that is rolled back has no effect. */
  change(transaction: Transaction, ids: readonly string[]): void;
  /** The same for a change of counts, which `write` makes. */
  countsOf(ids: Iterable<string>, write: () => void): Promise<void>;
  /** Calls back after each change of packages, before anybody gets the confirmation; undefined: of any ids. */
  onChange(listener: (ids: readonly string[] | undefined) => void): void;
};

/** The number of ids whose revision is remembered; all others count as changed when the last forgotten one was. */
const maxRemembered = 10_000;

/**
 * In memory: only this process writes to the database, under the data folder's lock, so it sees every change; on a replica, which
 * writes to its own copy alone, it sees those of others when they get there.
 */
export function createSqlRevisions({ prepare, writeStatistics, onForeignChange }: Connection): SqlRevisions {
  const latest = { all: createLatest(stored()), packages: createLatest(stored()) };
  const numbers: RevisionNumbers = {
    all: (id) => latest.all.of(id?.toLowerCase()),
    packages: (id) => latest.packages.of(id?.toLowerCase()),
  };

  const listeners: ((ids: readonly string[] | undefined) => void)[] = [];

  onForeignChange(({ ids, countedIds }) => {
    const now = stored();
    if (ids === undefined) {
      latest.all.noteAll(now);
      latest.packages.noteAll(now);
    }
    for (const idKey of countedIds) latest.all.note(idKey, now);
    if (ids === undefined || ids.length > 0) packagesChanged(ids, now);
  });

  function packagesChanged(ids: readonly string[] | undefined, now: number): void {
    for (const idKey of ids ?? []) {
      latest.all.note(idKey, now);
      latest.packages.note(idKey, now);
    }
    for (const listener of listeners) listener(ids);
  }

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
      transaction.afterCommit(() => packagesChanged(ids, stored()));
    },
    onChange: (listener) => void listeners.push(listener),
    async countsOf(ids, write) {
      await writeStatistics(() => {
        write();
        bump();
      });
      const now = stored();
      for (const idKey of ids) latest.all.note(idKey, now);
    },
  };
}

/** The revision of the last change of each id, and of any id. */
function createLatest(start: number) {
  const ofId = new Map<string, number>();
  let ofAny = start;
  let ofOthers = start;
  return {
    note(idKey: string, at: number): void {
      // Moved to the end of the map, which begins with the least recent change.
      ofId.delete(idKey);
      ofId.set(idKey, at);
      ofAny = at;
      if (ofId.size <= maxRemembered) return;
      const [[oldest, then] = ['', start]] = ofId;
      ofId.delete(oldest);
      ofOthers = then;
    },
    noteAll(at: number): void {
      ofId.clear();
      ofAny = at;
      ofOthers = at;
    },
    of: (idKey?: string): number => (idKey === undefined ? ofAny : (ofId.get(idKey) ?? ofOthers)),
  };
}
