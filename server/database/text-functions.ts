import type Database from 'better-sqlite3';

/**
 * SQLite only folds ASCII and counts code points; OData clients expect Unicode case and UTF-16 positions. Each function is
 * self-contained, because its source is also passed to the thread of `scans.ts`.
 */
export const textFunctions: Readonly<Record<string, (text: string, part: string) => string | number>> = {
  text_lower: (text) => text.toLowerCase(),
  text_upper: (text) => text.toUpperCase(),
  text_trim: (text) => text.trim(),
  text_length: (text) => text.length,
  text_index: (text, part) => {
    // For a longer part, V8 compares all of it at each position of a text that repeats itself: 2 s for a mebibyte of the letter
    // a. The Knuth-Morris-Pratt algorithm never goes back in the text.
    if (part.length < 250) return text.indexOf(part);
    const back = new Int32Array(part.length);
    for (let at = 1, length = 0; at < part.length; at += 1) {
      while (length > 0 && part.charCodeAt(at) !== part.charCodeAt(length)) length = back[length - 1] ?? 0;
      if (part.charCodeAt(at) === part.charCodeAt(length)) length += 1;
      back[at] = length;
    }
    for (let at = 0, length = 0; at < text.length; at += 1) {
      while (length > 0 && text.charCodeAt(at) !== part.charCodeAt(length)) length = back[length - 1] ?? 0;
      if (text.charCodeAt(at) === part.charCodeAt(length)) length += 1;
      if (length === part.length) return at + 1 - length;
    }
    return -1;
  },
  text_ends: (text, end) => Number(text.endsWith(end)),
};

/** Name and source of each, for a thread that shares no values with this one. */
export const textFunctionSources = Object.entries(textFunctions).map(
  ([name, run]) => [name, String(run)] as const,
);

export function defineTextFunctions(db: Pick<Database.Database, 'function'>): void {
  for (const [name, run] of Object.entries(textFunctions)) {
    db.function(name, { deterministic: true, varargs: true }, (...args: unknown[]) =>
      args.includes(null) ? null : run(String(args[0]), String(args[1])),
    );
  }
}
