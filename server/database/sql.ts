import type { SqlValue } from './statements.ts';

/** A piece of SQL with the values of its question marks, in order. */
export type Sql = { readonly text: string; readonly values: readonly SqlValue[] };

/** Combines pieces: sql`instr(${haystack}, ${needle}) > 0`. Numbers and strings become parameters. */
export function sql(texts: TemplateStringsArray, ...holes: readonly (Sql | SqlValue)[]): Sql {
  let text = texts[0] ?? '';
  const values: SqlValue[] = [];
  for (const [at, hole] of holes.entries()) {
    if (isSql(hole)) values.push(...hole.values);
    else values.push(hole);
    text += (isSql(hole) ? hole.text : '?') + (texts[at + 1] ?? '');
  }
  return { text, values };
}

/** Our own text: a column, a keyword. */
export function raw(text: string): Sql {
  return { text, values: [] };
}

function isSql(hole: Sql | SqlValue): hole is Sql {
  return typeof hole === 'object' && hole !== null && 'text' in hole;
}
