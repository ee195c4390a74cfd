export type AnswerCache<T> = {
  get(key: string): T | undefined;
  /** `bytes` is what the value weighs; one heavier than an eighth of all is not kept. */
  set(key: string, value: T, bytes: number): void;
};

/** What was not asked for so long makes room at once. */
const unusedMs = 5000;
/** Where all is in use, one new value in so many is let in. */
const admitOneIn = 8;

/**
 * The values used last, as many as weigh no more than `maxBytes` together. When all of them are in use a newcomer has
 * to come several times: whoever walks through the whole catalog (a mirror, a crawler) would otherwise throw out
 * everything just before it is asked for again.
 */
export function createAnswerCache<T>(maxBytes: number): AnswerCache<T> {
  // A Map keeps the order of insertion: what is used is put behind all others, the first is the one unused longest.
  const kept = new Map<string, Entry<T>>();
  let total = 0;
  let newcomers = 0;

  function remove(key: string): void {
    total -= kept.get(key)?.bytes ?? 0;
    kept.delete(key);
  }

  function isLetIn(): boolean {
    const [oldest] = kept.values();
    newcomers += 1;
    return (
      oldest === undefined || performance.now() - oldest.usedAt > unusedMs || newcomers % admitOneIn === 0
    );
  }

  return {
    get(key) {
      const entry = kept.get(key);
      if (entry === undefined) return undefined;
      entry.usedAt = performance.now();
      kept.delete(key);
      kept.set(key, entry);
      return entry.value;
    },
    set(key, value, bytes) {
      const isKnown = kept.has(key);
      remove(key);
      if (bytes > maxBytes / 8 || (!isKnown && total + bytes > maxBytes && !isLetIn())) return;
      kept.set(key, { value, bytes, usedAt: performance.now() });
      total += bytes;
      for (const oldest of kept.keys()) {
        if (total <= maxBytes) break;
        remove(oldest);
      }
    },
  };
}

type Entry<T> = { readonly value: T; readonly bytes: number; usedAt: number };
