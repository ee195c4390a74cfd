import { join } from 'node:path';
import { fail } from '../errors/release-error.ts';
import { type Declaration, readDeclaration } from './declaration.ts';
import { readFileIn } from './folder.ts';
import { digestText } from './judge-file.ts';
import { type Lock, readLock } from './lock.ts';

export const declarationFile = 'devbox.yaml';
export const lockFile = 'devbox.lock.json';

/** A repository as devbox:create wrote it, and people changed it. */
export type Repository = {
  readonly declaration: Declaration;
  /** Nobody has changed devbox.yaml since it was written. */
  readonly isAsWritten: boolean;
  /** Undefined without devbox.lock.json, or where somebody has changed it since it was written. */
  readonly lock: Lock | undefined;
};

/**
 * Undefined for a folder without devbox.yaml.
 * @throws ReleaseError DEVBOX_INVALID, DEVBOX_DIR
 */
export async function readRepository(dir: string): Promise<Repository | undefined> {
  const text = await readFileIn(dir, declarationFile);
  if (text === undefined) return undefined;
  const file = join(dir, declarationFile);
  if (text === 'other') return fail('DEVBOX_INVALID', { file, problems: 'it is not a plain file' });
  const declaration = readDeclaration(text, file);
  const locked = await readFileIn(dir, lockFile);
  const read = locked === undefined || locked === 'other' ? undefined : readLock(locked);
  const lock = read?.isOurs === true ? read.lock : undefined;
  const isAsWritten = digestText(text) === lock?.files[declarationFile];
  return { declaration, isAsWritten, lock };
}
