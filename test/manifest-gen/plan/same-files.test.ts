import { describe, expect, it } from 'vitest';
import type { ReleaseRecord } from '../../../formats/release-record.ts';
import {
  findChange,
  findDifference,
  isSameOffer,
  type Offered,
  originOf,
} from '../../../manifest-gen/plan/same-files.ts';
import type { GoModule } from '../../../manifest-gen/release.ts';
import { inWords } from '../../../manifest-gen/report/reasons.ts';
import { describePart } from '../../../manifest-gen/reverify/check.ts';
import type { UpstreamKind } from '../../../manifest-gen/tool-file/sources.ts';

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
const file = { size: 1, sha256: 'e'.repeat(64), sha512: 'e'.repeat(128) };

const zip: ReleaseRecord = {
  schema: 1,
  tool: 'gadget',
  version: '1.2.3-beta.1',
  packaging: '1:x',
  builtBy: 'upstream',
  source: { kind: 'github', upstream: 'github.com/a/b@v1.2.3', version: '1.2.3', fingerprint: a },
  payloads: [{ architecture: 'amd64', file: 'g.exe', ...file, asset: { name: 'g.zip', sha256: a } }],
  evidence: [{ kind: 'digest', verdict: 'passed', subject: 'g.zip', detail: '' }],
};
const withoutDigest: ReleaseRecord = {
  ...zip,
  evidence: [{ kind: 'digest', verdict: 'absent', subject: 'g.zip', detail: '' }],
};
const offered = {
  kind: 'github',
  upstream: 'github.com/a/b@v1.2.3',
  fingerprint: a,
  offers: [{ architecture: 'amd64', name: 'g.zip', sha256: a }],
} as const satisfies Offered;
const [offer] = offered.offers;
const silent: Offered = { ...offered, fingerprint: b, offers: [{ ...offer, sha256: undefined }] };

describe('files offered by a forge', () => {
  it.each<[string, ReleaseRecord, Offered, string | undefined]>([
    ['the same', zip, offered, undefined],
    ['the same, with other files beside it', zip, { ...offered, fingerprint: b }, undefined],
    ['the same, its digest untold', zip, silent, undefined],
    ['the same, its digest told at last', withoutDigest, { ...offered, fingerprint: b }, undefined],
    ['another file where no digest ever was', withoutDigest, silent, 'other sizes or digests'],
    ['the same where no digest ever was', withoutDigest, { ...silent, fingerprint: a }, undefined],
    ['other bytes', zip, { ...offered, offers: [{ ...offer, sha256: b }] }, `was ${a}, now it is ${b}`],
    [
      'other bytes under the old fingerprint',
      zip,
      { ...offered, offers: [{ ...offer, sha256: b }] },
      'SHA-256',
    ],
    [
      'another name',
      zip,
      { ...offered, offers: [{ ...offer, name: 'h.zip' }] },
      'was g.zip, now it is h.zip',
    ],
    ['another repository', zip, { ...offered, upstream: 'github.com/c/b@v1.2.3' }, 'upstream was'],
    ['the same from elsewhere', zip, { ...offered, kind: 'npm' }, 'the source was github, now it is npm'],
    [
      'arm64 as well',
      zip,
      { ...offered, offers: [offer, { ...offer, architecture: 'arm64' }] },
      'it was for amd64, now there is amd64, arm64',
    ],
    ['nothing for amd64', zip, { ...offered, offers: [] }, 'it was for amd64, now there is '],
  ])('%s', (_, record, found, change) => {
    const changed = findChange(record, found);

    if (change === undefined) expect(changed).toBeUndefined();
    else expect(changed && inWords(changed)).toContain(change);
  });

  it('are compared without an architecture that came later', () => {
    const more: Offered = { ...offered, offers: [offer, { ...offer, architecture: 'arm64' }] };

    expect(findDifference(zip, more)).toBeUndefined();
  });
});

describe('files built here', () => {
  const goModule: GoModule = {
    path: 'a.test/b/cmd/g',
    module: 'a.test/b',
    version: 'v1.2.3',
    toolchain: 'go1.26.1',
    tags: '',
    ldflags: '-s -w -buildid=',
    sum: 'h1:x',
    isSumChecked: true,
  };
  const { module: _module, isSumChecked: _isSumChecked, ...recorded } = goModule;
  const built: ReleaseRecord = {
    ...zip,
    builtBy: 'feed',
    source: { kind: 'go-module', upstream: 'a.test/b@v1.2.3', version: '1.2.3', fingerprint: a },
    payloads: [{ architecture: 'amd64', file: 'g.exe', ...file, goModule: recorded }],
    evidence: [],
  };
  const asked = (changes: Partial<GoModule>): Offered => ({
    kind: 'go-module',
    upstream: 'a.test/b@v1.2.3',
    fingerprint: b,
    offers: [{ architecture: 'amd64', goModule: { ...goModule, ...changes } }],
  });

  it.each<[Partial<GoModule>, string | undefined, boolean]>([
    [{}, undefined, false],
    [{ isSumChecked: false }, undefined, false],
    [{ sum: 'h1:y' }, 'the module sum for amd64', true],
    [{ path: 'a.test/b/cmd/h' }, 'the main package for amd64', false],
    [{ version: 'v1.2.4' }, 'the module version for amd64', false],
    [{ tags: 'extra' }, 'the build tags for amd64', false],
    [{ ldflags: '' }, 'the linker flags for amd64', false],
    [{ toolchain: 'go1.26.2' }, 'the Go toolchain for amd64', false],
  ])('with %j differ by %s', (changes, what, isOfBytes) => {
    const difference = findDifference(built, asked(changes));

    expect(difference && describePart(difference)).toBe(what);
    expect(difference?.isOfBytes ?? false).toBe(isOfBytes);
  });

  it('are the same with another patch of Go, where nobody can build them again, but not with another minor', () => {
    const bundledBy = { keyId: 'A', gosumdb: undefined };

    expect(isSameOffer(built, asked({ toolchain: 'go1.26.2' }))).toBe(true);
    expect(isSameOffer(built, asked({ toolchain: 'go1.27.1' }))).toBe(false);
    expect(findChange(built, { ...asked({ toolchain: 'go1.26.2' }), bundledBy })).toBeUndefined();
    expect(findChange(built, asked({ toolchain: 'go1.26.2' }))).toMatchObject({
      difference: { part: 'toolchain', offered: 'go1.26.2' },
    });
  });
});

describe('the origin of a record that a bundle brought', () => {
  const goModule = {
    path: 'a',
    version: 'v1.2.3',
    toolchain: 'go1.26.1',
    tags: '',
    ldflags: '',
    sum: 'h1:x',
  };
  it.each<[UpstreamKind, ReleaseRecord['source']['upstream'], object]>([
    ['github', 'github.com/a/b@v1.2.3', {}],
    ['npm', 'npm:@a/b@1.2.3', {}],
    ['go-module', 'github.com/a/b@v1.2.3', { goModule }],
  ])('is %s for %s', (kind, upstream, more) => {
    const payloads = zip.payloads.map((payload) => ({ ...payload, ...more }));

    expect(originOf({ ...zip, payloads, source: { ...zip.source, kind: 'bundle', upstream } })).toBe(kind);
  });
});
