import { layColumns } from './columns.ts';
import { hiddenCharacters } from './hidden-characters.ts';

/**
 * Text from outside (a forge's message, a name in an exe, what a program said) as it may be shown: what a terminal would obey,
 * such as an escape that rewrites the line above, becomes a space. Line ends and tabs stay.
 */
export function forTerminal(text: string): string {
  return text.replace(hiddenCharacters, (character) => (/[\n\t]/.test(character) ? character : ' '));
}

/** The same in one line, for a cell of a table. */
export function cellForTerminal(text: string): string {
  return forTerminal(text).replace(/\s*\n\s*/g, ' ');
}

/** Rows under each other in columns, a line each whatever is in them. */
export function columns(rows: readonly (readonly string[])[]): string {
  return layColumns(rows.map((row) => row.map(cellForTerminal)));
}
