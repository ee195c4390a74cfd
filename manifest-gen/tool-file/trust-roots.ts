import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Certificate } from 'pkijs';
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
    parseCertificates(roots);
    return { ...trust, authenticode: { ...authenticode, roots } };
  } catch (error) {
    const problems = `the roots ${path} of authenticode cannot be read: ${messageOf(error)}`;
    return fail('TOOL_FILE_INVALID', { file, problems }, error);
  }
}

/** All certificates of a PEM file. @throws Error when one cannot be read, or there is none */
export function parseCertificates(pem: string): readonly Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('it has no certificate in PEM');
  return blocks.map((block) => Certificate.fromBER(new Uint8Array(new X509Certificate(block).raw)));
}
