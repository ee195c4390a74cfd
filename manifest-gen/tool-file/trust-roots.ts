import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fail } from '../../errors/release-error.ts';
import { messageOf } from '../../formats/thrown.ts';
import type { Trust } from './trust.ts';

/**
 * The trust with Sigstore's root by its whole path, and with Authenticode's certificates themselves in place of their file's
 * name: other certificates are another trust, the same ones in another folder are not.
 * @param folder where a relative name starts
 * @throws ReleaseError TOOL_FILE_INVALID naming `file` when they cannot be read
 */
export async function withRoots(given: Trust, folder: string, file: string): Promise<Trust> {
  const { sigstore, authenticode } = given;
  const trust =
    sigstore?.trustedRoot === undefined
      ? given
      : { ...given, sigstore: { ...sigstore, trustedRoot: resolve(folder, sigstore.trustedRoot) } };
  if (authenticode === undefined) return trust;
  const path = resolve(folder, authenticode.roots);
  try {
    const roots = (await readFile(path, 'utf8')).replace(/\r\n/g, '\n');
    // with pkijs: half a megabyte of code, for the few tools with such roots
    const { parseCertificates } = await import('./certificates.ts');
    parseCertificates(roots);
    return { ...trust, authenticode: { ...authenticode, roots } };
  } catch (error) {
    const problems = `the roots ${path} of authenticode cannot be read: ${messageOf(error)}`;
    return fail('TOOL_FILE_INVALID', { file, problems }, error);
  }
}
