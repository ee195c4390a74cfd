import type { RowNuspec } from './catalog.ts';

export type Nuspecs = {
  /** The content of the nuspec with this `pk`. It never changes, but after a purge its `pk` may be used for another. */
  of(pk: number): RowNuspec;
  /** Call it when texts have changed. */
  forget(): void;
  /** Call it after a purge. */
  forgetPurged(): void;
  /** The number of purges so far: what was read before one may belong to another package now. */
  purges(): number;
};

/** The texts of one generation; the parsed objects take about five times as much. */
const maxTextBytes = 4 * 1024 ** 2;
/** The size of an entry without its own text. */
const entryBytes = 20;
/** The id and the version, which each row has itself; earlier programs stored them here too. */
const identity = /^\{"id":"[^"\\]*","version":"[^"\\]*",/;

/** A stored nuspec without the id and the version. */
export function withoutIdentity(stored: string): string {
  return stored.slice(identity.exec(stored)?.[0].length ?? 1);
}

/**
 * The contents of nuspecs, each read once. Most versions of a package differ in nothing but the number: they share one object, so
 * that others can keep what they derived from it (`odata/atom.ts`), and the texts are not read again.
 *
 * Keeps the most recently used ones in two generations: using one moves it to the younger generation; when that is full the older
 * one is dropped, so that a use costs no bookkeeping.
 */
export function createNuspecs(readStored: (pk: number) => string): Nuspecs {
  let younger = emptyGeneration();
  let older = emptyGeneration();
  let purges = 0;

  function forget(): void {
    younger = emptyGeneration();
    older = emptyGeneration();
  }

  function keep(pk: number, text: string, nuspec: RowNuspec): void {
    if (younger.bytes > maxTextBytes) {
      older = younger;
      younger = emptyGeneration();
    }
    younger.byPk.set(pk, { text, nuspec });
    younger.bytes += entryBytes;
    if (!younger.byText.has(text)) {
      younger.byText.set(text, nuspec);
      younger.bytes += text.length;
    }
  }

  return {
    of(pk) {
      const known = younger.byPk.get(pk);
      if (known !== undefined) return known.nuspec;
      const before = older.byPk.get(pk);
      const text = before?.text ?? withoutIdentity(readStored(pk));
      const nuspec =
        younger.byText.get(text) ??
        older.byText.get(text) ??
        // Written by `toColumns` from a value of this type.
        (JSON.parse(`{${text}`) as RowNuspec);
      keep(pk, text, nuspec);
      return nuspec;
    },
    forget,
    forgetPurged() {
      forget();
      purges += 1;
    },
    purges: () => purges,
  };
}

function emptyGeneration() {
  return {
    byPk: new Map<number, { readonly text: string; readonly nuspec: RowNuspec }>(),
    byText: new Map<string, RowNuspec>(),
    bytes: 0,
  };
}
