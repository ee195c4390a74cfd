import type { SqlValue } from './statements.ts';

/** A piece of SQL with the values of its question marks, in order. */
export type Sql = { readonly text: string; readonly values: readonly SqlValue[] };

/** Combines pieces: sql`instr(${haystack}, ${needle}) > 0`. Numbers and strings become parameters. */
export function sql(texts: TemplateStringsArray, ...holes: readonly (Sql | SqlValue)[]): Sql {
  const pieces = holes.map((hole) => (isSql(hole) ? hole : { text: '?', values: [hole] }));
  return {
    text: texts.map((text, index) => text + (pieces[index]?.text ?? '')).join(''),
    values: pieces.flatMap((piece) => piece.values),
  };
}

/** Our own text: a column, a keyword. */
export function raw(text: string): Sql {
  return { text, values: [] };
}

function isSql(hole: Sql | SqlValue): hole is Sql {
  return typeof hole === 'object' && hole !== null && 'text' in hole;
}
