import type { RowNuspec } from './catalog.ts';

/** Of stored text; what is made of it takes some five times as much. */
const maxTextBytes = 4 * 1024 ** 2;
/** The id and the version, which a row has of its own. */
const identity = /^\{"id":"[^"\\]*","version":"[^"\\]*",/;

/**
 * Reads stored nuspecs. Most versions of a package say the same but for their number: those are read once and are the
 * same object, so that others too can keep what they made of it (`odata/atom.ts`).
 */
export function createNuspecReader(): (stored: string) => RowNuspec {
  // The order of insertion is that of use: the first is the one unused longest.
  const known = new Map<string, RowNuspec>();
  let total = 0;
  return (stored) => {
    const said = stored.slice(identity.exec(stored)?.[0].length ?? 1);
    const same = known.get(said);
    if (same !== undefined) {
      known.delete(said);
      known.set(said, same);
      return same;
    }
    // Written by `toColumns` from a value of this type.
    const read = JSON.parse(`{${said}`) as RowNuspec;
    known.set(said, read);
    total += said.length;
    for (const oldest of known.keys()) {
      if (total <= maxTextBytes) break;
      known.delete(oldest);
      total -= oldest.length;
    }
    return read;
  };
}
