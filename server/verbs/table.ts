import { hiddenCharacters } from '../../formats/hidden-characters.ts';

/**
 * Rows below a head, each column as wide as its widest cell. Control characters become blanks, since names and client programs
 * are foreign text.
 */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((row) => row.map((cell) => cell.replace(hiddenCharacters, ' ')));
  const widths = head.map((_cell, at) => Math.max(...lines.map((row) => row[at]?.length ?? 0)));
  return lines
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
