import type { RowNuspec } from './catalog.ts';

export type Nuspecs = {
  /** What the nuspec with this `pk` says. It never changes; after a purge its `pk` may be used again. */
  of(pk: number): RowNuspec;
  /** When texts were changed. */
  forget(): void;
  /** After a purge. */
  forgetPurged(): void;
  /** How many purges there were: what was read before one may be of another package now. */
  purges(): number;
};

/** Of one generation, as text; what is made of a text takes some five times as much. */
const maxTextBytes = 4 * 1024 ** 2;
/** What an entry without a text of its own takes. */
const entryBytes = 20;
/** The id and the version, which a row has of its own; earlier programs stored them, too. */
const identity = /^\{"id":"[^"\\]*","version":"[^"\\]*",/;

/** A stored nuspec without the id and the version. */
export function withoutIdentity(stored: string): string {
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
