import { fail } from '../../errors/release-error.ts';
import type { EvidenceKind } from '../../formats/release-record.ts';
import type { Fetched, Verdict } from '../release.ts';
import { sourceFacts } from '../tool-file/source-facts.ts';
import { requiredEvidence } from '../tool-file/trust.ts';
import { attestationsName } from './sidecar-name.ts';

export type About = Pick<Verdict, 'kind' | 'subject'>;

export function passed(about: About, detail: string): Verdict {
  return { ...about, verdict: 'passed', detail };
}

export function absent(about: About, detail: string): Verdict {
  return { ...about, verdict: 'absent', detail };
}

/** @param detail what was compared; `expected` and `found` are for a refusal's sentence */
export function failed(about: About, detail: string, expected: string, found: string): Verdict {
  return { ...about, verdict: 'failed', detail, expected, found };
}

/** One of several pieces of evidence about a file is wrong; `what` is the name that people know it by. */
export function failedPiece(about: About, what: string, expected: string, found: string): Verdict {
  return failed(about, `${what}: ${found}.`, expected, found);
}

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

/**
 * The kinds of evidence that must have passed for the downloaded files: those that the tool's file demands of every release, and
 * npm's provenance where the file demands it of versions whose metadata names attestations.
 */
export function demandedEvidence({ found, assets, sidecars }: Fetched): readonly EvidenceKind[] {
  const { tool, kind, version } = found;
  const always = requiredEvidence(tool, kind, version);
  const names = new Set(sidecars.map(({ name }) => name));
  const isAttested =
    sourceFacts[kind].hasProvenance && assets.some(({ name }) => names.has(attestationsName(name)));
  const isDemanded = isAttested && tool.trust.provenance === 'where-attested';
  return isDemanded && !always.includes('provenance') ? [...always, 'provenance'] : always;
}
