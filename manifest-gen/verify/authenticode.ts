import { open } from 'node:fs/promises';
import type { UnpackedExe, Verdict } from '../release.ts';
import { payloadFile } from '../tool-file/payload-file.ts';
import type { Tool } from '../tool-file/tools.ts';
import { parseCertificates } from '../tool-file/trust-roots.ts';
import { readSignedExe } from './authenticode-file.ts';
import { judgeSignatures } from './authenticode-signature.ts';

/**
 * Is the exe signed by the publisher that the tool names, with a certificate that leads to one of its roots and was valid when it
 * signed? The machine's own certificate store is not used, since it differs between machines.
 * @param now counts for a signature without a timestamp, which expires with its certificate
 */
export async function checkAuthenticode(tool: Tool, exe: UnpackedExe, now: Date): Promise<Verdict> {
  const about = { kind: 'authenticode', subject: payloadFile(tool, exe.architecture) } as const;
  const failed = (expected: string, found: string): Verdict => ({
    ...about,
    verdict: 'failed',
    detail: `The Authenticode signature is refused: expected ${expected}, found ${found}.`,
    expected,
    found,
  });
  const { authenticode } = tool.trust;
  const file = await open(exe.path, 'r');
  try {
    const signed = await readSignedExe(exe.path, file);
    if (signed === undefined)
      return { ...about, verdict: 'absent', detail: 'The exe has no Authenticode signature.' };
    if ('fault' in signed) return failed('one signature that covers the whole exe', signed.fault);

    const roots = authenticode === undefined ? undefined : parseCertificates(authenticode.roots);
    const outcome = await judgeSignatures(signed, { roots, now });
    if (outcome.outcome === 'bad') return failed(outcome.expected, outcome.found);
    const { publisher, isTimestamped, algorithm } = outcome;
    if (authenticode === undefined) {
      const detail = `It is signed by ${publisher}, and the tool names no publisher and roots to trust.`;
      return { ...about, verdict: 'absent', detail };
    }
    if (publisher !== authenticode.publisher) return failed(authenticode.publisher, publisher);
    const stamp = isTimestamped ? ', with a timestamp' : '';
    return { ...about, verdict: 'passed', detail: `It is signed (${algorithm}) by ${publisher}${stamp}.` };
  } finally {
    await file.close();
  }
}
