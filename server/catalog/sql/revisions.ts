import type { Prepare } from '../../database/statements.ts';

export type Change = {
  readonly what: 'packages' | 'counts';
  /** In lower case; of every package that it touches. */
  readonly ids: Iterable<string>;
};

export type Revisions = {
  /** In the transaction of a change. */
  bump(): void;
  /** Once the transaction is through, with what came out of it: the new number is told only then. */
  afterCommit<T>(outcome: T, change: Change): T;
  /** The number of the last change of any kind: of one id, where it is named in lower case. */
  all(idKey?: string): number;
  /** The same without counts. */
  packages(idKey?: string): number;
};

/** So many ids are remembered by themselves; all others count as changed when the last forgotten one was. */
const maxRemembered = 10_000;

/**
 * The numbers of the catalog's states. They are asked with every request, so that they are kept in memory: this
 * process owns the database, under the lock of the data folder. A change that was rolled back leaves no trace.
 */
export function createRevisions(prepare: Prepare): Revisions {
  function read(): number {
    const row = prepare('SELECT revision FROM state').get() as { revision: number } | undefined;
    return row?.revision ?? 0;
  }

  const latest = { all: createLatest(read()), packages: createLatest(read()) };
  return {
    bump() {
      prepare('UPDATE state SET revision = revision + 1').run();
    },
    afterCommit(outcome, { what, ids }) {
      const now = read();
      for (const idKey of ids) {
        latest.all.note(idKey, now);
        if (what === 'packages') latest.packages.note(idKey, now);
      }
      return outcome;
    },
    all: latest.all.of,
    packages: latest.packages.of,
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
