import type { RowNuspec } from './catalog.ts';

export type Nuspecs = {
  /** What the texts with this `pk` say. They never change; after a purge their `pk` may be given again. */
  of(pk: number): RowNuspec;
  /** After a purge. */
  forget(): void;
};

/** Of one generation, as text; what is made of a text takes some five times as much. */
const maxTextBytes = 4 * 1024 ** 2;
/** What an entry without a text of its own takes. */
const entryBytes = 20;
/** The id and the version, which a row has of its own; earlier programs stored them, too. */
const identity = /^\{"id":"[^"\\]*","version":"[^"\\]*",/;

/** A stored nuspec without the id and the version. */
export function saidOf(stored: string): string {
  return stored.slice(identity.exec(stored)?.[0].length ?? 1);
}

/**
 * What nuspecs say, read once. Most versions of a package say the same but for their number: those share one object, so
 * that others too can keep what they made of it (`odata/atom.ts`), and texts that were shown before are not read again.
 *
 * Kept are those used last, in two generations: what is used moves to the younger one; when that is full the older one
 * goes, which costs no book-keeping at each use.
 */
export function createNuspecs(readStored: (pk: number) => string): Nuspecs {
  let younger = emptyGeneration();
  let older = emptyGeneration();

  function keep(pk: number, said: string, nuspec: RowNuspec): void {
    if (younger.bytes > maxTextBytes) {
      older = younger;
      younger = emptyGeneration();
    }
    younger.byPk.set(pk, { said, nuspec });
    younger.bytes += entryBytes;
    if (!younger.bySaid.has(said)) {
      younger.bySaid.set(said, nuspec);
      younger.bytes += said.length;
    }
  }

  return {
    of(pk) {
      const known = younger.byPk.get(pk);
      if (known !== undefined) return known.nuspec;
      const before = older.byPk.get(pk);
      const said = before?.said ?? saidOf(readStored(pk));
      const nuspec =
        younger.bySaid.get(said) ??
        older.bySaid.get(said) ??
        // Written by `toColumns` from a value of this type.
        (JSON.parse(`{${said}`) as RowNuspec);
      keep(pk, said, nuspec);
      return nuspec;
    },
    forget() {
      younger = emptyGeneration();
      older = emptyGeneration();
    },
  };
}

function emptyGeneration() {
  return {
    byPk: new Map<number, { readonly said: string; readonly nuspec: RowNuspec }>(),
    bySaid: new Map<string, RowNuspec>(),
    bytes: 0,
  };
}
