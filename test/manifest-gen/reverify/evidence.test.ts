import { describe, expect, it } from 'vitest';
import type { EvidenceKind } from '../../../formats/release-record.ts';
import type { Verdict } from '../../../manifest-gen/release.ts';
import { compareEvidence, evidenceAgain, silentEvidence } from '../../../manifest-gen/reverify/evidence.ts';

type Word = Verdict['verdict'];
const say = (kind: EvidenceKind, verdict: Word, detail = `${kind} ${verdict}`): Verdict => ({
  kind,
  verdict,
  subject: 'g.zip',
  detail,
});

describe('compareEvidence', () => {
  it.each<[EvidenceKind, recorded: Word | 'none', now: Word | 'none', isRequired: boolean, string[]]>([
    ['checksum', 'passed', 'passed', false, ['passed']],
    ['checksum', 'absent', 'passed', true, ['passed']],
    ['checksum', 'none', 'passed', false, ['passed']],
    ['checksum', 'passed', 'failed', false, ['failed']],
    ['checksum', 'absent', 'failed', false, ['failed']],
    ['minisign', 'passed', 'absent', false, ['unreachable']],
    ['minisign', 'absent', 'absent', false, ['skipped']],
    ['minisign', 'passed', 'none', false, ['unreachable']],
    ['digest', 'passed', 'absent', false, ['skipped']],
    // the record does not decide what has to be there
    ['digest', 'passed', 'absent', true, ['unreachable']],
    ['digest', 'absent', 'absent', true, ['unreachable']],
    ['minisign', 'none', 'absent', true, ['unreachable']],
    ['minisign', 'absent', 'absent', true, ['unreachable']],
  ])('%s, recorded %s, now %s, required %s: %j', (kind, recorded, now, isRequired, expected) => {
    const [then, again] = [recorded, now].map((word) => (word === 'none' ? [] : [say(kind, word)]));

    const checks = compareEvidence(then!, again!, isRequired ? [kind] : []);

    expect(checks.map(({ verdict }) => verdict)).toEqual(expected);
  });

  it("pairs a registry's statements about one file: its signature, and how it was built", () => {
    const recorded = [say('provenance', 'passed', 'signed'), say('provenance', 'absent', 'no build')];
    const again = [say('provenance', 'passed', 'signed'), say('provenance', 'passed', 'built')];

    expect(compareEvidence(recorded, again, []).map(({ detail }) => detail)).toEqual(['signed', 'built']);
    expect(evidenceAgain(recorded, again, true)).toEqual(recorded);
  });

  it('reports a required kind without any statement', () => {
    const checks = silentEvidence('upstream', [say('pe', 'passed')], ['pe', 'attestation']);

    expect(checks).toMatchObject([{ what: 'attestation', verdict: 'unreachable' }]);
  });
});

describe('evidenceAgain', () => {
  const stated = 'The SHA-256 is the one that the source states of an immutable release.';
  const plain = 'The SHA-256 is the one that the source states.';
  const none = 'The source states no digest of the file.';

  it.each<[string, Verdict, Verdict]>([
    ['a mirror tells no digest', say('digest', 'passed', stated), say('digest', 'absent', none)],
    [
      'a mirror does not know it is immutable',
      say('digest', 'passed', stated),
      say('digest', 'passed', plain),
    ],
    ['the forge tells it at last', say('digest', 'absent', none), say('digest', 'passed', plain)],
    ['a signature is gone', say('minisign', 'passed', 'by KEY'), say('minisign', 'absent', 'none')],
  ])('keeps the words of the record when %s', (_, then, now) => {
    expect(evidenceAgain([then], [now], true)).toEqual([then]);
  });

  it.each<[string, readonly Verdict[]]>([
    ['other words of a digest', [say('digest', 'passed', 'Trust me.')]],
    ['other words of the same', [say('digest', 'passed', `${plain} `)]],
    ['something more', [say('digest', 'passed', plain), say('sigstore', 'passed', 'Signed by the moon.')]],
    ['nothing', []],
  ])('makes it again where the record says %s', (_, recorded) => {
    const now = [say('digest', 'passed', plain)];

    expect(evidenceAgain(recorded, now, true)).toEqual(now);
  });

  it('keeps statements about an architecture that is no longer offered', () => {
    const other = { ...say('checksum', 'passed'), subject: 'g_arm64.zip' };

    expect(evidenceAgain([say('pe', 'passed'), other], [say('pe', 'passed')], false)).toHaveLength(2);
  });
});
