export type AnswerCache<T> = {
  get(key: string): T | undefined;
  /** `bytes` is what the value weighs; one heavier than an eighth of all is not kept. */
  set(key: string, value: T, bytes: number): void;
  delete(key: string): void;
  bytes(): number;
};

/** The values used last, as many as weigh no more than `maxBytes` together. */
export function createAnswerCache<T>(maxBytes: number): AnswerCache<T> {
  // A Map keeps the order of insertion: what is used is put behind all others.
  const kept = new Map<string, { readonly value: T; readonly bytes: number }>();
  let total = 0;

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
      remove(key);
      if (bytes > maxBytes / 8) return;
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
