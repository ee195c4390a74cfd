import { fail } from '../errors.ts';
import type { Verdict } from '../release.ts';

/** Why a release is refused: the sentence's parts. */
export type Refusal = { readonly file: string; readonly expected: string; readonly found: string };

type Judged = Pick<Verdict, 'kind' | 'verdict' | 'subject' | 'detail'> &
  Partial<Pick<Verdict, 'file' | 'expected' | 'found'>>;

/**
 * The policy, pure. A failed check always refuses. A required kind must have passed for every file with such evidence, and for at
 * least one file; a kind that is not required may be absent. Kinds that nothing here checks never pass, so requiring one refuses.
 */
export function refusalOf(verdicts: readonly Judged[], required: readonly string[]): Refusal | undefined {
  const failed = verdicts.find(({ verdict }) => verdict === 'failed');
  if (failed !== undefined) {
    return {
      file: failed.file ?? failed.subject,
      expected: failed.expected ?? failed.kind,
      found: failed.found ?? failed.detail,
    };
  }
  for (const kind of required) {
    const ofKind = verdicts.filter((one) => one.kind === kind);
    const absent = ofKind.find(({ verdict }) => verdict === 'absent');
    if (absent !== undefined) {
      const { file = absent.subject, detail } = absent;
      return { file, expected: `evidence of kind ${kind}`, found: `none (${detail})` };
    }
    if (ofKind.length === 0)
      return { file: 'the release', expected: `evidence of kind ${kind}`, found: 'none' };
  }
  return undefined;
}

/** @throws ReleaseError REFUSED (exit 3) with what was expected and what was found */
export function requireTrust(
  tool: string,
  version: string,
  verdicts: readonly Verdict[],
  required: readonly string[],
): void {
  const refusal = refusalOf(verdicts, required);
  if (refusal !== undefined) fail('REFUSED', { tool, version, ...refusal });
}
