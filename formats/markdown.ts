import { hiddenCharacters } from './hidden-characters.ts';

/** A row of a table; its cells are Markdown already. */
export function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** One of our sentences; its commands stay code. */
export function withCode(text: string): string {
  return text
    .split(/(`[^`|\p{Cc}]+`)/u)
    .map((part, at) => (at % 2 === 0 ? cell(part) : part))
    .join('');
}

/** The database's texts are untrusted: neither their markup nor the name of a person or team may work. */
export function cell(text: string): string {
  return text
    .replace(hiddenCharacters, ' ')
    .replace(/[\\`*_[\]<>|#!&@]/g, (character) =>
      /[<>&@]/.test(character) ? `&#${character.charCodeAt(0)};` : `\\${character}`,
    );
}
