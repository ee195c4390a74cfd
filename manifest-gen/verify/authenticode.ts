import { Fault } from '../../errors/fault.ts';
import { withFile } from '../../formats/scoped.ts';
import type { UnpackedExe, Verdict } from '../release.ts';
import { payloadFile } from '../tool-file/payload-place.ts';
import type { Tool } from '../tool-file/tools.ts';
import { readSignedExe } from './authenticode-file.ts';
import { absent, failed, passed } from './verdict.ts';

/**
 * Is the exe signed by the publisher that the tool names, with a certificate that leads to one of its roots and was valid when it
 * signed? The machine's own certificate store is not used, since it differs between machines.
 * @param now counts for a signature without a timestamp, which expires with its certificate
 */
export async function checkAuthenticode(tool: Tool, exe: UnpackedExe, now: Date): Promise<Verdict> {
  const about = { kind: 'authenticode', subject: payloadFile(tool, exe.architecture) } as const;
  const { authenticode } = tool.trust;
  try {
    const signed = await withFile(exe.path, (file) => readSignedExe(exe.path, file));
    if (signed === undefined) return absent(about, 'The exe has no Authenticode signature.');
    // with pkijs: half a megabyte of code, for the few exes that are signed
    const [{ parseCertificates }, { judgeSignatures }] = await Promise.all([
      import('../tool-file/certificates.ts'),
      import('./authenticode-signature.ts'),
    ]);
    const roots = authenticode === undefined ? undefined : parseCertificates(authenticode.roots);
    const { publisher, isTimestamped, algorithm } = await judgeSignatures(signed, { roots, now });
    if (authenticode === undefined) {
      const detail = `It is signed by ${publisher}, and the tool names no publisher and roots to trust.`;
      return absent(about, detail);
    }
    if (publisher !== authenticode.publisher) throw new Fault(authenticode.publisher, publisher);
    const stamp = isTimestamped ? ', with a timestamp' : '';
    return passed(about, `It is signed (${algorithm}) by ${publisher}${stamp}.`);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const detail = `The Authenticode signature is refused: ${error.message}.`;
    return failed(about, detail, error.expected, error.found);
  }
}
