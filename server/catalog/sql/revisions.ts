import type { Prepare } from './statements.ts';

export type Revisions = {
  /** In the transaction of a change. */
  bump(): void;
  /** Once the transaction is through, with what came out of it: the new number is told only then. */
  afterCommit<T>(outcome: T, what: 'packages' | 'counts'): T;
  all(): number;
  packages(): number;
};

/**
 * The numbers of the catalog's states. They are asked with every request, so that they are kept in memory: this
 * process owns the database, under the lock of the data folder. A change that was rolled back leaves no trace.
 */
export function createRevisions(prepare: Prepare): Revisions {
  function read(): number {
    const row = prepare('SELECT revision FROM state').get() as { revision: number } | undefined;
    return row?.revision ?? 0;
  }

  let all = read();
  let packages = all;
  return {
    bump() {
      prepare('UPDATE state SET revision = revision + 1').run();
    },
    afterCommit(outcome, what) {
      const now = read();
      if (now !== all && what === 'packages') packages = now;
      all = now;
      return outcome;
    },
    all: () => all,
    packages: () => packages,
  };
}
