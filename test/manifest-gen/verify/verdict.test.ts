import { describe, expect, it } from 'vitest';
import { ReleaseError } from '../../../errors/release-error.ts';
import type { Verdict } from '../../../manifest-gen/release.ts';
import { refusalOf, requireTrust } from '../../../manifest-gen/verify/verdict.ts';

const passed = (kind: Verdict['kind'], subject = 'a.exe'): Verdict => ({
  kind,
  verdict: 'passed',
  subject,
  detail: 'Fine.',
});
const absent = (kind: Verdict['kind'], subject = 'a.exe'): Verdict => ({
  kind,
  verdict: 'absent',
  subject,
  detail: 'Not there.',
});
const failed = (kind: Verdict['kind'], subject = 'a.exe'): Verdict => ({
  kind,
  verdict: 'failed',
  subject,
  detail: 'Bad.',
  expected: 'this',
  found: 'that',
});

describe('the policy of evidence', () => {
  it.each<[string, Verdict[], string[], string | undefined]>([
    ['nothing required, nothing checked', [], [], undefined],
    ['required and passed', [passed('pe')], ['pe'], undefined],
    ['not required and absent', [passed('pe'), absent('digest')], ['pe'], undefined],
    ['failed though not required', [passed('pe'), failed('minisign')], ['pe'], 'this'],
    ['required and absent', [absent('checksum')], ['checksum'], 'evidence of kind checksum'],
    [
      'required and absent for one of two files',
      [passed('pe', 'a'), absent('pe', 'b')],
      ['pe'],
      'evidence of kind pe',
    ],
    ['required and never checked', [passed('pe')], ['sigstore'], 'evidence of kind sigstore'],
    ['a failure counts more than a lack', [absent('pe'), failed('digest')], ['pe'], 'this'],
  ])('%s', (_, verdicts, required, expected) => {
    expect(refusalOf(verdicts, required)?.expected).toBe(expected);
  });

  it('refuses with exit 3 and a sentence with file, expected and found', () => {
    const refuse = () => requireTrust('buf', '1.32.0', [failed('checksum', 'buf.exe')], []);

    expect(refuse).toThrow(ReleaseError);
    expect(refuse).toThrow('buf 1.32.0: buf.exe is refused: expected this, found that.');
    expect(refuse).toThrow(expect.objectContaining({ code: 'REFUSED', exitCode: 3 }));
  });

  it.each([failed('pe'), absent('pe')])(
    "names upstream's own file where there is one: $verdict",
    (verdict) => {
      const file = 'dlv.exe in dlv.zip';

      expect(refusalOf([{ ...verdict, file }], ['pe'])).toMatchObject({ file });
    },
  );
});
