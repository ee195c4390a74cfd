export type AnswerCache<T> = {
  get(key: string): T | undefined;
  /** `bytes` is what the value weighs; one heavier than an eighth of all is not kept. */
  set(key: string, value: T, bytes: number): void;
  delete(key: string): void;
  bytes(): number;
};

/** When all room is taken, one new value in so many is let in. */
const admitOneIn = 8;

/**
 * The values used last, as many as weigh no more than `maxBytes` together. When it is full a newcomer has to come
 * several times: whoever walks through the whole catalog (a mirror, a crawler) would otherwise throw out everything
 * just before it is asked for again.
 */
export function createAnswerCache<T>(maxBytes: number): AnswerCache<T> {
  // A Map keeps the order of insertion: what is used is put behind all others.
  const kept = new Map<string, { readonly value: T; readonly bytes: number }>();
  let total = 0;
  let refused = 0;

  function remove(key: string): void {
    total -= kept.get(key)?.bytes ?? 0;
    kept.delete(key);
  }

  return {
    get(key) {
      const entry = kept.get(key);
      if (entry === undefined) return undefined;
      kept.delete(key);
      kept.set(key, entry);
      return entry.value;
    },
    set(key, value, bytes) {
      const isKnown = kept.has(key);
      remove(key);
      if (bytes > maxBytes / 8) return;
      if (!isKnown && total + bytes > maxBytes) {
        refused += 1;
        if (refused % admitOneIn !== 0) return;
      }
      kept.set(key, { value, bytes });
      total += bytes;
      for (const oldest of kept.keys()) {
        if (total <= maxBytes) break;
        remove(oldest);
      }
    },
    delete: remove,
    bytes: () => total,
  };
}
