import { describe, expect, it } from 'vitest';
import { findVulnerabilities } from '../../../manifest-gen/vulnerabilities/match.ts';
import { type Composition, compose } from '../../../manifest-gen/vulnerabilities/modules.ts';
import { Entry } from '../../../manifest-gen/vulnerabilities/schema.ts';
import { makeVuln, readVulnFixtures } from '../../kit/vulndb.ts';

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

  it('tells module, found and fixed version, aliases and where to read on', () => {
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

  it('takes one entry for each module that it is about', () => {
    const found = findVulnerabilities(of({ stdlib: 'v1.20.9', 'golang.org/x/net': 'v0.16.0' }), real, now);

    expect(found.map(({ id, module, fixed }) => [id, module, fixed])).toEqual([
      ['GO-2023-2102', 'golang.org/x/net', 'v0.17.0'],
      ['GO-2023-2102', 'stdlib', 'v1.20.10'],
    ]);
  });

  it('leaves out what other systems have, and what was withdrawn', () => {
    const sys = { 'golang.org/x/sys': 'v0.43.0' };

    expect(ids(of(sys))).toEqual(['GO-2026-5024']);
    expect(ids(of(sys, 'linux'))).toEqual([]);
    // an exe that does not say where it runs may run anywhere
    expect(ids(of(sys, ''))).toEqual(['GO-2026-5024']);
    expect(ids(of({ 'github.com/gravitational/teleport': 'v4.0.0' }))).toEqual([]);
  });

  it('counts an entry until the day on which it is withdrawn', () => {
    const entry = {
      ...makeVuln('GO-2026-0001', 'example.test/x', undefined),
      withdrawn: '2026-11-28T00:00:00Z',
    };

    expect(ids(of({ 'example.test/x': 'v1.0.0' }), made(entry))).toEqual(['GO-2026-0001']);
  });

  it('says severity in words when the entry does, and nothing otherwise', () => {
    const severity = (more: object) =>
      findVulnerabilities(
        of({ 'example.test/x': 'v1.0.0' }),
        made(makeVuln('GO-2026-0001', 'example.test/x', '2.0.0', more)),
        now,
      )[0]?.severity;

    expect(severity({})).toBeUndefined();
    expect(severity({ database_specific: { severity: 'MODERATE' } })).toBe('medium');
    expect(severity({ database_specific: { severity: 'CRITICAL' } })).toBe('critical');
    expect(
      severity({ severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }] }),
    ).toBeUndefined();
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

  it('says what nothing can be said of', () => {
    expect(compose({ ...info, goVersion: 'devel go1.23-abc' }, undefined).unknown).toEqual([
      'example.test/folder',
      'example.test/gadget',
      'stdlib',
    ]);
  });
});
