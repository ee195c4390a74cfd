import { describe, expect, it, vi } from 'vitest';
import { findVulnerabilities } from '../../vulnerabilities/match.ts';
import { type Composition, compose } from '../../vulnerabilities/modules.ts';
import { Entry } from '../../vulnerabilities/schema.ts';
import { makeVuln, readVulnFixtures } from '../kit/vulndb.ts';

const now = new Date('2026-11-27T00:00:00Z');
const real = (await readVulnFixtures()).map((entry) => Entry.parse(entry));
const made = (...entries: object[]) => entries.map((entry) => Entry.parse(entry));
const of = (modules: Record<string, string>, goos = 'windows'): Composition => ({
  modules: Object.entries(modules).map(([path, version]) => ({ path, version })),
  unknown: [],
  goos,
  goarch: 'amd64',
});
const ids = (composition: Composition, entries = real) =>
  findVulnerabilities(composition, entries, now).map(({ id }) => id);

describe('findVulnerabilities, with entries of the real database', () => {
  it.each([
    ['1.22.1', []],
    ['1.23.0', ['GO-2024-2482']],
    ['1.23.9', ['GO-2024-2482']],
    ['1.24.0', []],
    ['1.26.0', ['GO-2024-2860']],
    ['1.26.1', []],
  ])('goreleaser %s has %j', (version, expected) => {
    expect(ids(of({ 'github.com/goreleaser/goreleaser': `v${version}` }))).toEqual(expected);
    // the v2 module is another one
    expect(ids(of({ 'github.com/goreleaser/goreleaser/v2': `v${version}` }))).toEqual([]);
  });

  it('returns module, found and fixed version, aliases and a link', () => {
    expect(findVulnerabilities(of({ stdlib: 'v1.22.2' }), real, now)).toEqual([
      {
        id: 'GO-2024-2824',
        aliases: ['CVE-2024-24788'],
        module: 'stdlib',
        found: 'v1.22.2',
        fixed: 'v1.22.3',
        severity: undefined,
        summary: 'Malformed DNS message can cause infinite loop in net',
        url: 'https://pkg.go.dev/vuln/GO-2024-2824',
      },
    ]);
  });

  it('reports one entry for each module that it affects', () => {
    const found = findVulnerabilities(of({ stdlib: 'v1.20.9', 'golang.org/x/net': 'v0.16.0' }), real, now);

    expect(found.map(({ id, module, fixed }) => [id, module, fixed])).toEqual([
      ['GO-2023-2102', 'golang.org/x/net', 'v0.17.0'],
      ['GO-2023-2102', 'stdlib', 'v1.20.10'],
    ]);
  });

  it('leaves out entries for other systems, and withdrawn ones', () => {
    const sys = { 'golang.org/x/sys': 'v0.43.0' };

    expect(ids(of(sys))).toEqual(['GO-2026-5024']);
    expect(ids(of(sys, 'linux'))).toEqual([]);
    // an exe that does not say where it runs may run anywhere
    expect(ids(of(sys, ''))).toEqual(['GO-2026-5024']);
    expect(ids(of({ 'github.com/gravitational/teleport': 'v4.0.0' }))).toEqual([]);
  });

  it.each(['2026-11-28T00:00:00Z', 'some day'])('counts an entry that is withdrawn on %s', (withdrawn) => {
    const entry = { ...makeVuln('GO-2026-0001', 'example.test/x', undefined), withdrawn };

    expect(ids(of({ 'example.test/x': 'v1.0.0' }), made(entry))).toEqual(['GO-2026-0001']);
  });

  const v3 = { type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' };
  const v4 = { type: 'CVSS_V4', score: 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N' };
  // scores: the examples of first.org's user guides, and nvd.nist.gov
  it.each<[string, object, string | undefined]>([
    ['none, as the Go database', {}, undefined],
    ['a word', { database_specific: { severity: 'CRITICAL' } }, 'critical'],
    ['the word of an older scale', { database_specific: { severity: 'MODERATE' } }, 'medium'],
    ['a word of its own', { database_specific: { severity: 'UNIMPORTANT' } }, undefined],
    ['a vector of CVSS 3.1 (9.8)', { severity: [v3] }, 'critical'],
    ['a vector of CVSS 4.0 (8.7), which comes before 3.1', { severity: [v3, v4] }, 'high'],
    [
      'a vector of CVSS 3.0 (6.1)',
      { severity: [{ type: 'CVSS_V3', score: 'CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N' }] },
      'medium',
    ],
    [
      'one with nothing in it (0.0)',
      { severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N' }] },
      'low',
    ],
    [
      'a vector of CVSS 2 (10.0), which knows no critical',
      { severity: [{ type: 'CVSS_V2', score: 'AV:N/AC:L/Au:N/C:C/I:C/A:C' }] },
      'high',
    ],
    ['a word and a vector', { severity: [v3], database_specific: { severity: 'LOW' } }, 'low'],
    ['a number without a vector', { severity: [{ type: 'CVSS_V3', score: '9.8' }] }, undefined],
    ['half a vector', { severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L' }] }, undefined],
    [
      'a vector with a metric of no standard',
      { severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:Q/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }] },
      undefined,
    ],
    [
      'a vector without end',
      { severity: [{ type: 'CVSS_V3', score: `${v3.score}${'/E:H'.repeat(100_000)}` }] },
      undefined,
    ],
    [
      'a vector with nothing for a metric',
      { severity: [{ type: 'CVSS_V3', score: `${v3.score}/E:` }] },
      undefined,
    ],
    ['a scale of another kind', { severity: [{ type: 'Ubuntu', score: 'high' }] }, undefined],
  ])('takes the severity of an entry that states %s', (_, more, expected) => {
    const [finding] = findVulnerabilities(
      of({ 'example.test/x': 'v1.0.0' }),
      made(makeVuln('GO-2026-0001', 'example.test/x', '2.0.0', more)),
      now,
    );

    expect(finding?.severity).toBe(expected);
  });

  it.each(['\u001b[2J:', 'AV:', ':N', 'CVSS:3.1/\u0007AV:', '/:/'])(
    'prints nothing of the vector %j on the terminal',
    (score) => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      const severity = ['CVSS_V4', 'CVSS_V3', 'CVSS_V2'].map((type) => ({ type, score }));
      const entry = made(makeVuln('GO-2026-0001', 'example.test/x', '2.0.0', { severity }));

      expect(findVulnerabilities(of({ 'example.test/x': 'v1.0.0' }), entry, now)).toHaveLength(1);
      expect(warn).not.toHaveBeenCalled();
      warn.mockRestore();
    },
  );

  it('takes the vector of an affected package', () => {
    const { affected, ...rest } = makeVuln('GO-2026-0001', 'example.test/x', '2.0.0');
    const rated = { ...rest, affected: affected.map((one) => ({ ...one, severity: [v3] })) };

    expect(findVulnerabilities(of({ 'example.test/x': 'v1.0.0' }), made(rated), now)[0]?.severity).toBe(
      'critical',
    );
  });
});

describe('compose', () => {
  const info = {
    goVersion: 'go1.22.2',
    path: 'example.test/gadget/cmd/gadget',
    module: { path: 'example.test/gadget', version: '(devel)', sum: '' },
    dependencies: [
      { path: 'example.test/folder', version: '', sum: '' },
      { path: 'example.test/dep', version: 'v2.0.0+incompatible', sum: 'h1:x' },
    ],
    settings: { GOOS: 'windows', GOARCH: 'arm64' },
  };

  it('adds the standard library, and the release that a (devel) module came with', () => {
    expect(compose(info, '1.32.0')).toEqual({
      modules: [
        { path: 'example.test/dep', version: 'v2.0.0+incompatible' },
        { path: 'example.test/gadget', version: 'v1.32.0' },
        { path: 'stdlib', version: 'v1.22.2' },
      ],
      unknown: ['example.test/folder'],
      goos: 'windows',
      goarch: 'arm64',
    });
  });

  it('says what cannot be checked', () => {
    expect(compose({ ...info, goVersion: 'devel go1.23-abc' }, undefined).unknown).toEqual([
      'example.test/folder',
      'example.test/gadget',
      'stdlib',
    ]);
  });
});
