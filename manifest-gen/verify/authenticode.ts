import { withFile } from '../../formats/scoped.ts';
import type { UnpackedExe, Verdict } from '../release.ts';
import { payloadFile } from '../tool-file/payload-place.ts';
import type { Tool } from '../tool-file/tools.ts';
import { parseCertificates } from '../tool-file/trust-roots.ts';
import { readSignedExe } from './authenticode-file.ts';
import { judgeSignatures } from './authenticode-signature.ts';
import { absent, failed, passed } from './verdict.ts';

/**
 * Is the exe signed by the publisher that the tool names, with a certificate that leads to one of its roots and was valid when it
 * signed? The machine's own certificate store is not used, since it differs between machines.
 * @param now counts for a signature without a timestamp, which expires with its certificate
 */
export function checkAuthenticode(tool: Tool, exe: UnpackedExe, now: Date): Promise<Verdict> {
  const about = { kind: 'authenticode', subject: payloadFile(tool, exe.architecture) } as const;
  const refused = (expected: string, found: string): Verdict => {
    const detail = `The Authenticode signature is refused: expected ${expected}, found ${found}.`;
    return failed(about, detail, expected, found);
  };
  const { authenticode } = tool.trust;
  return withFile(exe.path, async (file) => {
    const signed = await readSignedExe(exe.path, file);
    if (signed === undefined) return absent(about, 'The exe has no Authenticode signature.');
    if ('fault' in signed) return refused('one signature that covers the whole exe', signed.fault);

    const roots = authenticode === undefined ? undefined : parseCertificates(authenticode.roots);
    const outcome = await judgeSignatures(signed, { roots, now });
    if (outcome.outcome === 'bad') return refused(outcome.expected, outcome.found);
    const { publisher, isTimestamped, algorithm } = outcome;
    if (authenticode === undefined) {
      return absent(
        about,
        `It is signed by ${publisher}, and the tool names no publisher and roots to trust.`,
      );
    }
    if (publisher !== authenticode.publisher) return refused(authenticode.publisher, publisher);
    const stamp = isTimestamped ? ', with a timestamp' : '';
    return passed(about, `It is signed (${algorithm}) by ${publisher}${stamp}.`);
  });
}
