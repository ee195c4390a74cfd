import { hiddenCharacters } from '../../formats/hidden-characters.ts';

const maxLength = 500;

/** Why something is done, as the audit log keeps it: one line, without what a terminal would obey, not without end. */
export function inOneLine(text: string): string | undefined {
  const line = text.replace(hiddenCharacters, ' ').replace(/ {2,}/g, ' ').trim();
  return line === '' ? undefined : [...line.slice(0, 2 * maxLength)].slice(0, maxLength).join('');
}
