import { hiddenCharacters } from '../../formats/hidden-characters.ts';

const maxLength = 500;

/** A reason as the audit log keeps it: one line of limited length, without terminal controls. */
export function inOneLine(text: string): string | undefined {
  const line = text.replace(hiddenCharacters, ' ').replace(/ {2,}/g, ' ').trim();
  return line === '' ? undefined : [...line.slice(0, 2 * maxLength)].slice(0, maxLength).join('');
}
