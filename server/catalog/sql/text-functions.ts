import type Database from 'better-sqlite3';

/**
 * SQLite folds ASCII only and counts code points; OData clients expect Unicode case and UTF-16 positions. Each stands
 * alone and names nothing from outside: their texts go to the thread of `scans.ts`, too.
 */
const textFunctions: Readonly<Record<string, (text: string, part: string) => string | number>> = {
  text_lower: (text) => text.toLowerCase(),
  text_upper: (text) => text.toUpperCase(),
  text_trim: (text) => text.trim(),
  text_length: (text) => text.length,
  text_index: (text, part) => text.indexOf(part),
  text_ends: (text, end) => Number(text.endsWith(end)),
};

/** Name and text of each, for a thread that shares no values with this one. */
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
