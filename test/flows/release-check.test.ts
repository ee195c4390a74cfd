import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ForgeRelease } from '../kit/forge.ts';
import { delveRelease, type Generator, goreleaserRelease } from '../kit/generator.ts';
import { versionsOn } from '../kit/published.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import type { TestServer } from '../kit/test-server.ts';
import { nowhere } from '../kit/upstream-fixture.ts';
import { makeVuln, startVulnServer, type VulnServer } from '../kit/vulndb.ts';

const module = 'github.com/go-delve/delve';
const old = makeVuln('GO-2026-0001', module, '1.26.3');
const lasting = makeVuln('GO-2026-0002', 'example.test/dep', undefined);
const fresh = {
  ...makeVuln('GO-2026-0003', module, '1.26.4'),
  affected: [
    {
      package: { name: module, ecosystem: 'Go' },
      ranges: [{ type: 'SEMVER', events: [{ introduced: '1.26.3' }, { fixed: '1.26.4' }] }],
    },
  ],
};

/** A fixture in which main offers the first of these releases. */
async function startFixture(
  releases: readonly ForgeRelease[],
  settings: Readonly<Record<string, string>> = {},
): Promise<ReleaseFixture> {
  const fixture = await startReleaseFixture({
    repositories: {
      'go-delve/delve': releases,
      'goreleaser/goreleaser': [goreleaserRelease('1.20.0')],
    },
    scopes: ['push'],
    settings,
  });
  await fixture.generator.run('release:beta', ['delve']);
  await fixture.generator.run('release:promote', ['delve']);
  return fixture;
}

/** What main offers, against upstream and a vulnerability database, over real HTTP and git. */
describe('release:check', () => {
  let fixture: ReleaseFixture;
  let generator: Generator;
  let db: VulnServer;
  let policy: string;

  // One fixture for all: these tests publish nothing. Each has a database of its own.
  beforeAll(async () => {
    fixture = await startFixture([delveRelease('1.26.2')]);
    ({ generator } = fixture);
    policy = join(generator.dir, 'policy.yaml');
  });
  afterAll(() => fixture.stop());
  beforeEach(async () => {
    db = await startVulnServer([]);
  });
  afterEach(() => db.stop());

  const check = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    generator.run('release:check', args, { env: { VULN_DB: db.url, ...env } });

  it('has nothing to do: exit 0, and writes nothing', async () => {
    const { exitCode, stdout } = await check(['delve'], { FEED_API_KEY: '' });

    expect(exitCode).toBe(0);
    expect(stdout).toBe('tool   main    upstream  known vulnerabilities\ndelve  1.26.2  1.26.2    0\n');
  });

  it('reports new vulnerabilities alike in text, JSON and Markdown', async () => {
    db.serve([old, { ...lasting, summary: 'Bad | <b>\u001b[31m' }]);

    const text = await check(['delve']);
    const json = await check(['delve', '--json']);
    const markdown = await check(['delve', '--markdown']);

    expect([text, json, markdown].map(({ exitCode }) => exitCode)).toEqual([5, 5, 5]);
    expect(text.stdout).toContain(
      'GO-2026-0001 (CVE-2026-0001) in github.com/go-delve/delve v1.26.2, fixed in v1.26.3',
    );
    expect(text.stdout).toContain('GO-2026-0002 (CVE-2026-0002) in example.test/dep v1.0.0, no fix yet');
    expect(text.stdout + markdown.stdout).not.toContain('\u001b');
    const row = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .find(({ event }) => event === 'watch');
    expect(row).toMatchObject({
      tool: 'delve',
      main: '1.26.2',
      isOutdated: false,
      vulnerabilities: [
        { id: 'GO-2026-0001', module, found: 'v1.26.2', fixed: 'v1.26.3', verdict: 'refused' },
        { id: 'GO-2026-0002', module: 'example.test/dep', found: 'v1.0.0', verdict: 'refused' },
      ],
    });
    expect(markdown.stdout).toContain(
      '| GO-2026-0001, CVE-2026-0001 | github.com/go-delve/delve | v1.26.2 | v1.26.3 |',
    );
    expect(markdown.stdout).toContain('Bad \\| &#60;b&#62;');
    expect((await check(['--json', '--markdown'])).exitCode).toBe(2);
  });

  it('counts what the policy allows, and for how long', async () => {
    db.serve([lasting]);
    const write = (until: string) =>
      writeFile(
        policy,
        `refuse: low\nunknown: high\nallow:\n  - {id: CVE-2026-0002, reason: not reached, until: ${until}}\n`,
      );
    await write('2099-01-01');
    const allowed = await check(['delve'], { POLICY_FILE: policy });
    await write('2020-01-01');
    const expired = await check(['delve'], { POLICY_FILE: policy });

    expect(allowed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 (1 allowed)') });
    expect(expired).toMatchObject({
      exitCode: 5,
      stdout: expect.stringContaining('it was allowed until 2020-01-01, which is over'),
    });
  });

  it('says what it could not check: exit 4, with everything that it could', async () => {
    db.serve([old]);
    const noForge = await check(['delve', '--source', 'github'], { GITHUB_API_URL: nowhere });
    const noDatabase = await check(['delve'], { VULN_DB: './no-such-folder' });

    expect(noForge.exitCode).toBe(4);
    expect(noForge.stdout).toContain('GO-2026-0001');
    expect(noDatabase).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('is not a folder') });
    expect(noDatabase.stdout).toContain('delve  1.26.2  1.26.2    not looked for');
  });

  it('says that nothing is scanned without VULN_DB, and refuses a policy without effect', async () => {
    const without = await check(['delve'], { VULN_DB: '' });
    const useless = await check(['delve'], { VULN_DB: '', POLICY_FILE: 'p.yaml' });

    expect(without).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('VULN_DB is not set') });
    expect(without.stdout).toContain('not looked for');
    expect(useless).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('POLICY_FILE: it needs VULN_DB'),
    });
  });

  it('keeps what depends on the date out of published files', async () => {
    db.serve([old, lasting]);
    await generator.run('release:beta', ['goreleaser', '--dry-run', '--out', 'looked'], {
      env: { VULN_DB: db.url },
    });
    await generator.run('release:beta', ['goreleaser', '--dry-run', '--out', 'blind']);
    const name = 'goreleaser.1.20.0-beta.1.nupkg';
    const [looked, blind] = await Promise.all(
      ['looked', 'blind'].map((dir) => readFile(join(generator.dir, dir, name))),
    );

    expect(looked!.equals(blind!)).toBe(true);
  });
});

describe('release:check and releases, what they say of known vulnerabilities', () => {
  let fixture: ReleaseFixture;
  let server: TestServer;
  let generator: Generator;
  let db: VulnServer;
  let policy: string;
  let releases: ForgeRelease[];

  beforeEach(async () => {
    releases = [delveRelease('1.26.2')];
    db = await startVulnServer([]);
    fixture = await startFixture(releases, { VULN_DB: db.url });
    ({ server, generator } = fixture);
    policy = join(generator.dir, 'policy.yaml');
  });
  afterEach(async () => {
    await fixture.stop();
    await db.stop();
  });

  const newRelease = () => releases.unshift(delveRelease('1.26.3'));

  it('reports a newer version that is allowed, even if it is already on beta: exit 5', async () => {
    newRelease();
    const first = await generator.run('release:check', ['delve']);
    await generator.run('release:beta', ['delve']);
    const second = await generator.run('release:check', ['delve']);

    expect(first).toMatchObject({
      exitCode: 5,
      stdout: expect.stringContaining('1.26.3 is available: run `release:beta delve`.'),
    });
    expect(first.stderr).toContain('Something to do: delve.');
    expect(second).toMatchObject({
      exitCode: 5,
      stdout: expect.stringContaining('1.26.3 is on beta: run `release:promote delve` once it is tested'),
    });
  });

  it('is a verb of the program, with its exit code', async () => {
    newRelease();
    const child = generator.spawn('release:check', ['--quiet', 'delve']);
    const [code] = (await once(child, 'close')) as [number];

    expect(code).toBe(5);
  });

  it('checks the exe of every architecture, and says which it could not check', async () => {
    const dep = (version: string) => ({ path: 'example.test/dep', version });
    releases.unshift(delveRelease('1.26.3', { dependencies: { arm64: dep('v0.9.0') } }));
    await generator.run('release:beta', ['delve']);
    await generator.run('release:promote', ['delve']);
    db.serve([makeVuln('GO-2026-0004', 'example.test/dep', '0.9.5')]);

    const found = await generator.run('release:check', ['delve']);

    expect(found).toMatchObject({
      exitCode: 5,
      stdout: expect.stringContaining(
        'GO-2026-0004 (CVE-2026-0004) in example.test/dep v0.9.0, fixed in v0.9.5',
      ),
    });
    await rm(join(generator.dir, 'cache'), { recursive: true });
    const blind = await generator.run('release:check', ['delve'], {
      env: { PAYLOAD_URL: `${server.url}/nowhere/{tool}/{version}/{file}` },
    });
    expect(blind.exitCode, blind.stderr).toBe(0);
    expect(blind.stderr).toContain('the arm64 exe of 1.26.3 is not scanned: ');
    expect(blind.stdout).toContain('0 (unknown: the arm64 exe could not be scanned)');
  });

  it.each([
    ['', 3, 5],
    ['allow:\n  - {id: NO-EXE, reason: the place is being moved, until: 2099-01-01, tools: [delve]}\n', 1, 0],
  ])(
    'applies the policy to an exe that is missing at Scoop\'s address as to one without build info: "%s"',
    async (allow, promoted, checked) => {
      const env = {
        POLICY_FILE: policy,
        PAYLOAD_URL: `${server.url}/nowhere/{tool}/{version}/{file}`,
        PAYLOAD_PUT: 'false',
      };
      await writeFile(policy, `refuse: high\nunknown: high\n${allow}`);
      await rm(join(generator.dir, 'cache'), { recursive: true });

      const check = await generator.run('release:check', ['delve'], { env });
      newRelease();
      await generator.run('release:beta', ['delve']);
      const promote = await generator.run('release:promote', ['delve'], { env });

      // allowed by the policy, it is missed all the same by what has to pack it
      expect(promote.exitCode, promote.stderr).toBe(promoted);
      expect(promote.stderr.includes('NO-EXE')).toBe(promoted === 3);
      if (promoted === 3)
        expect(promote.stderr).toContain('Upload it where Scoop downloads it, or allow the ids');
      expect(check.stdout).toContain(
        `NO-EXE, ${module} v1.26.2: unknown: the arm64 exe could not be scanned`,
      );
      expect(check.exitCode, check.stdout).toBe(checked);
    },
  );

  it('shows in the plan of a release what it gains and loses against main', async () => {
    newRelease();
    db.serve([old, lasting, fresh]);

    const beta = await generator.run('release:beta', ['delve']);
    const promote = await generator.run('release:promote', ['delve', '--json']);

    // before the download: its own module
    expect(beta.stderr).toMatch(/^ {2}vulnerabilities +\+GO-2026-0003 -GO-2026-0001 \(own module\)$/m);
    // with the exe at hand
    expect(beta.stderr).toContain('2 known vulnerabilities; against main: +GO-2026-0003 -GO-2026-0001\n');
    expect(beta.exitCode).toBe(0);
    const plan = promote.stdout.split('\n').find((line) => line.includes('"plan"')) ?? '';
    expect(JSON.parse(plan)).toMatchObject({
      vulnerabilities: { scope: 'exe', gained: ['GO-2026-0003'], lost: ['GO-2026-0001'] },
    });
  });

  it('refuses by the policy, to beta and to main: exit 3, and nothing moves', async () => {
    newRelease();
    db.serve([fresh]);
    await writeFile(policy, 'refuse: high\nunknown: critical\n');
    const env = { POLICY_FILE: policy };
    const before = await versionsOn(server, 'delve');

    const beta = await generator.run('release:beta', ['delve'], { env });

    expect(beta.exitCode).toBe(3);
    expect(beta.stderr).toContain(
      `delve 1.26.3-beta.1 is refused by ${policy}: GO-2026-0003 in ${module} v1.26.3, fixed in v1.26.4.`,
    );
    expect(beta.stderr).toContain('or allow the ids in that file, with reason and until');
    expect(await versionsOn(server, 'delve')).toEqual(before);
    await generator.run('release:beta', ['delve']);

    const promote = await generator.run('release:promote', ['delve'], { env });

    expect(promote).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('delve 1.26.3 is refused by'),
    });
    expect((await (await fetch(`${server.url}/m/delve.json`)).json()) as object).toMatchObject({
      version: '1.26.2',
    });
  });

  describe('of an exe without build info', () => {
    const gap = 'unknown: no build info, only its own module could be looked up';
    const silent = () => releases.unshift(delveRelease('1.26.3', { isSilent: true }));

    it("looks up the tool's own module, and says in plan, release and check that this is all it can do", async () => {
      silent();
      db.serve([fresh, lasting]);

      const beta = await generator.run('release:beta', ['delve']);
      const promote = await generator.run('release:promote', ['delve', '--json']);
      const text = await generator.run('release:check', ['delve']);
      const json = await generator.run('release:check', ['delve', '--json']);
      const markdown = await generator.run('release:check', ['delve', '--markdown']);

      expect(beta.exitCode, beta.stderr).toBe(0);
      expect(beta.stderr).toContain(
        `1 known vulnerability; against main: +GO-2026-0003 -GO-2026-0002 (${gap})`,
      );
      expect(events(promote.stdout, 'plan')[0]).toMatchObject({
        vulnerabilities: { scope: 'opaque', gained: ['GO-2026-0003'], lost: ['GO-2026-0002'] },
      });
      expect([text, json, markdown].map(({ exitCode }) => exitCode)).toEqual([5, 5, 5]);
      expect(text.stdout).toContain(`1 (${gap})`);
      expect(text.stdout).toContain(
        `NO-BUILD-INFO, ${module} v1.26.3: ${gap}; below, there is no policy for it`,
      );
      expect(events(json.stdout, 'watch')[0]).toMatchObject({
        vulnerabilities: [{ id: 'GO-2026-0003' }],
        gaps: [{ id: 'NO-BUILD-INFO', module, found: 'v1.26.3', summary: gap, verdict: 'below' }],
      });
      expect(markdown.stdout).toContain(
        `| NO-BUILD-INFO | ${module} | v1.26.3 |  | below: there is no policy for it`,
      );
    });

    it.each([
      ['GO-2026-0003', [fresh], ''],
      ['NO-BUILD-INFO', [], ''],
      [
        '',
        [],
        'allow:\n  - {id: NO-BUILD-INFO, reason: not made of Go, until: 2099-01-01, tools: [delve]}\n',
      ],
    ])('is judged by the policy: refused is "%s"', async (refused, entries, allow) => {
      silent();
      db.serve(entries);
      await writeFile(policy, `refuse: high\nunknown: high\n${allow}`);
      const env = { POLICY_FILE: policy };

      const beta = await generator.run('release:beta', ['delve'], { env });

      expect(beta.exitCode, beta.stderr).toBe(refused === '' ? 0 : 3);
      if (refused !== '') expect(beta.stderr).toContain(refused);
      await generator.run('release:beta', ['delve']);
      const promote = await generator.run('release:promote', ['delve'], { env });
      expect(promote.exitCode, promote.stderr).toBe(refused === '' ? 0 : 3);
      await generator.run('release:promote', ['delve']);
      const check = await generator.run('release:check', ['delve'], { env });
      expect(check.exitCode, check.stdout).toBe(refused === '' ? 0 : 5);
      expect(check.stdout).toContain(gap);
    });
  });

  function events(stdout: string, event: string): object[] {
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter((one) => one.event === event);
  }
});
