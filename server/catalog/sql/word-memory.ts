/** A text that searches look into, with a number that no other text has at the same time. */
export type NumberedText = { readonly slot: number; readonly text: string };

export type WordMemory = {
  /** Whether texts contain this word. `slots` is above the number of each text. */
  finder(word: string, slots: number): (text: NumberedText) => boolean;
  /** Another text gets this number. */
  forget(slot: number): void;
};

const maxBytes = 2 * 1024 ** 2;
/** What a word takes besides its bytes for texts, at most: a feed without texts remembers no more than some hundred words either. */
const bytesPerWord = 4096;
const maxCharacters = 1000;
const [unknown, absent, present] = [0, 1, 2];

/**
 * Remembers which texts contain a word, one byte for each text, of as many recent words as fit: the pages of a search, searches that
 * share a word, and a look whether a page is still what it was, walk over no text again.
 */
export function createWordMemory(limit: number = maxBytes): WordMemory {
  /** The least recently used first. */
  const words = new Map<string, Uint8Array>();

  return {
    finder(word, slots) {
      if (word.length > maxCharacters) return ({ text }) => text.includes(word);
      const before = words.get(word);
      const seen = before !== undefined && before.length >= slots ? before : new Uint8Array(2 * slots);
      if (before !== undefined && seen !== before) seen.set(before);
      words.delete(word);
      words.set(word, seen);
      for (const oldest of words.keys()) {
        if (words.size === 1 || words.size * (seen.length + bytesPerWord) <= limit) break;
        words.delete(oldest);
      }
      return (numbered) => {
        const { slot } = numbered;
        if (seen[slot] === unknown) seen[slot] = numbered.text.includes(word) ? present : absent;
        return seen[slot] === present;
      };
    },
    forget(slot) {
      for (const seen of words.values()) if (slot < seen.length) seen[slot] = unknown;
    },
  };
}
