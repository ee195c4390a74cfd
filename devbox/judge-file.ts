import { createHash } from 'node:crypto';

/** Of the text with the line ends that it was written with: git may check it out with others. */
export function digestText(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}

/** `blocked`: it is a link, a folder, or behind a link, and is never written. */
export type FileState = 'new' | 'same' | 'update' | 'changed' | 'blocked';

/**
 * What to do with a rendered file. `changed`: it is neither what is to be written nor what was written last, so it is a person's
 * work, which only `--force` replaces.
 * @param last the digest of what devbox:create wrote last
 */
export function judgeFile(
  rendered: string,
  present: string | undefined,
  last: string | undefined,
): FileState {
  if (present === undefined) return 'new';
  const digest = digestText(present);
  if (digest === digestText(rendered)) return 'same';
  return digest === last ? 'update' : 'changed';
}
