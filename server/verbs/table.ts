import { layColumns } from '../../formats/columns.ts';
import { hiddenCharacters } from '../../formats/hidden-characters.ts';

/**
 * Rows below a head, each column as wide as its widest cell. Control characters become blanks, since names and client programs
 * are foreign text.
 */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((row) => row.map((cell) => cell.replace(hiddenCharacters, ' ')));
  return `${layColumns(lines)}\n`;
}
