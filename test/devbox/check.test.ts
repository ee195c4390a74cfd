import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeLock } from '../../devbox/lock.ts';
import { delveRelease, type Generator } from '../kit/generator.ts';
import { listen } from '../kit/listen.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { makeVuln, startVulnServer } from '../kit/vulndb.ts';

const digest = `@sha256:${'a'.repeat(64)}`;

/** A repository of devbox:create against the server that it came from. */
describe('devbox:check', () => {
  let fixture: ReleaseFixture;
  let generator: Generator;
  let dir: string;

  beforeAll(async () => {
    const repositories = { 'go-delve/delve': [delveRelease('1.26.3'), delveRelease('1.26.2')] };
    fixture = await startReleaseFixture({ repositories });
    ({ generator } = fixture);
    await generator.run('release:beta', ['delve@1.26.2']);
    await generator.run('release:promote', ['delve']);
    dir = join(generator.dir, 'pristine');
    expect((await generator.run('devbox:create', ['pristine'])).exitCode).toBe(0);
    await change('devbox.yaml', (text) => text.replace(/base: .*/g, (line) => `${line}${digest}`));
    expect((await generator.run('devbox:create', ['pristine'])).exitCode).toBe(0);
    dir = join(generator.dir, 'repository');
  });
  afterAll(() => fixture.stop());
  beforeEach(async () => {
    await rm(dir, { recursive: true, force: true });
    await cp(join(generator.dir, 'pristine'), dir, { recursive: true });
  });

  const change = async (path: string, edit: (text: string) => string): Promise<void> => {
    const text = await readFile(join(dir, path), 'utf8');
    const edited = edit(text);
    expect(edited, path).not.toBe(text);
    await writeFile(join(dir, path), edited);
  };
  type Row = { readonly about: string; readonly kind: string; readonly what: string };
  const check = async (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) => {
    const result = await generator.run('devbox:check', ['repository', ...args, '--json'], { env });
    const found: { readonly findings: readonly Row[] } = JSON.parse(result.stdout || '{"findings":[]}');
    // no Go program is published here, so that the probe is always missing, as is Go for Windows
    const findings = found.findings.filter(
      ({ about }) => about !== 'go-win-probe' && about !== 'go for Windows',
    );
    return { ...result, findings, kinds: findings.map(({ about, kind }) => `${about} ${kind}`) };
  };

  it('has nothing to say of a fresh repository but that the probe is missing', async () => {
    const { exitCode, findings, stdout } = await check();
    expect(findings).toEqual([]);
    expect(exitCode).toBe(5);
    expect(stdout).toContain('every image needs it');
  });

  it('names invalid files by line and column', async () => {
    await change('compose.yaml', (text) => text.replace('services:', 'servicez:'));
    await change('config/machine.json', (text) => text.replace('"version": 1', '"version": 2'));
    await mkdir(join(dir, '.github', 'workflows'), { recursive: true });
    await writeFile(
      join(dir, '.github', 'workflows', 'mine.yml'),
      'on: push\njobs:\n  a: {runs-on: x, stepz: []}\n',
    );
    await change('.devcontainer/devcontainer.json', (text) =>
      text.replace('postCreateCommand', 'postCreateComand'),
    );
    await writeFile(join(dir, 'broken.json'), '{\n  "a": ]\n}\n');
    const { findings, exitCode } = await check();

    expect(exitCode).toBe(5);
    const said = findings.map(({ about, kind, what }) => `${about} ${kind}: ${what}`).join('\n');
    expect(said).toMatch(/compose\.yaml invalid: line \d+, column 1: servicez is not a known field/);
    expect(said).toMatch(/config\/machine\.json invalid: line 3, column 14: version/);
    expect(said).toMatch(/mine\.yml invalid: line 3, column \d+: jobs\.a/);
    expect(said).toMatch(
      /devcontainer\.json invalid: line \d+, column \d+: postCreateComand is not a known field/,
    );
    expect(said).toMatch(/broken\.json invalid: line 2, column \d+/);
  });

  it('ends with 2 for a declaration that cannot be read, with line and column', async () => {
    await change('devbox.yaml', (text) => text.replace('delve: 1.26.2', 'delve: newest'));
    const { exitCode, stderr } = await check();
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /devbox\.yaml is not valid: line \d+, column \d+: tools\.delve "newest" is not an exact/,
    );
  });

  it('says when devbox.yaml was changed and devbox:create not run, and when the lock was changed', async () => {
    await change('devbox.lock.json', (text) => text.replace('dlv.exe', 'other.exe'));
    expect((await check()).kinds).toEqual(['devbox.lock.json stale']);
  });

  it('says when the lock has other bytes than the feed, whatever its digest says', async () => {
    const {
      digest: _digest,
      files,
      ...values
    } = JSON.parse(await readFile(join(dir, 'devbox.lock.json'), 'utf8'));
    values.tools.delve.sha256 = 'b'.repeat(64);
    await writeFile(join(dir, 'devbox.lock.json'), writeLock(values, new Map(Object.entries(files))));
    const { findings } = await check();
    expect(findings).toMatchObject([
      { about: 'delve', kind: 'differs', what: expect.stringContaining('b'.repeat(64)) },
    ]);
  });

  it('names base images without a digest, and images that are too large', async () => {
    await change('devbox.yaml', (text) => text.replace(digest, ''));
    expect((await check(['--size', 'linux=25000001', '--size', 'windows=850000000'])).kinds).toEqual([
      // the Dockerfile has it still
      'files stale',
      'images.linux unpinned',
      'images.linux too large',
    ]);
    expect((await check(['--size', 'macos=1'])).exitCode).toBe(2);
  });

  it('names files that people changed, and files that are gone', async () => {
    await change('compose.yaml', (text) => `${text}# mine\n`);
    await rm(join(dir, 'images', 'seccomp.json'));
    const { kinds, stdout } = await check();
    expect(kinds).toEqual(['files missing']);
    expect(stdout).toContain('not compared: compose.yaml');
  });

  it('does not read YAML of thousands of keys, which would take minutes', async () => {
    await writeFile(join(dir, 'many.yaml'), Array.from({ length: 7000 }, (_, at) => `k${at}: 1\n`).join(''));
    expect((await check()).findings).toMatchObject([{ about: 'many.yaml', kind: 'invalid' }]);
  });

  it('compares machine.json with machine.yaml, and makes the one from the other', async () => {
    await change('config/machine.yaml', (text) => text.replace('scoop: true', 'scoop: false'));
    expect((await check()).kinds).toEqual(['config/machine.json stale']);
    const { stdout } = await generator.run('devbox:check', ['--to-json', 'repository/config/machine.yaml']);
    await writeFile(join(dir, 'config', 'machine.json'), stdout);
    expect((await check()).kinds).toEqual([]);
  });

  it('finds vulnerable tools, Go, and modules of an SBOM', async () => {
    const db = await startVulnServer([
      makeVuln('GO-2026-0001', 'github.com/go-delve/delve', '1.26.3'),
      makeVuln('GO-2026-0002', 'stdlib', '1.99.0'),
      makeVuln('GO-2026-0003', 'example.test/inside', undefined),
    ]);
    try {
      const sbom = {
        bomFormat: 'CycloneDX',
        components: [
          { type: 'library', name: 'x', purl: 'pkg:golang/example.test/inside@v1.0.0?type=module' },
          { type: 'library', name: 'std', purl: 'pkg:golang/std@1.99.1' },
        ],
      };
      await writeFile(join(generator.dir, 'image.cdx.json'), JSON.stringify(sbom));
      const { kinds, findings, exitCode } = await check(['--sbom', 'image.cdx.json'], { VULN_DB: db.url });
      expect(exitCode).toBe(5);
      // delve's exe has a standard library, too
      expect(kinds).toEqual([
        'delve vulnerable',
        'delve vulnerable',
        'go vulnerable',
        'image.cdx.json vulnerable',
      ]);
      expect(findings.map(({ what }) => what.split(' ')[0])).toEqual([
        'GO-2026-0001',
        'GO-2026-0002',
        'GO-2026-0002',
        'GO-2026-0003',
      ]);
      await writeFile(join(generator.dir, 'image.cdx.json'), '{}');
      expect((await check(['--sbom', 'image.cdx.json'], { VULN_DB: db.url })).exitCode).toBe(2);
    } finally {
      await db.stop();
    }
  });

  it('sends no key to a feed that only the repository names', async () => {
    const seen: (string | undefined)[] = [];
    const { url, stop } = await listen((request, response) => {
      seen.push(request.headers['x-nuget-apikey'] as string | undefined, request.headers.authorization);
      response.writeHead(404).end();
    });
    try {
      await change('devbox.yaml', (text) => text.replace(/feed: .*/, `feed: ${url}`));
      const { exitCode } = await check([], {
        FEED_URL: '',
        FEED_API_KEY: 'secret-of-the-feed-000000000000000',
      });
      expect(exitCode).toBeGreaterThan(0);
      expect(seen.length).toBeGreaterThan(0);
      expect(seen.filter((one) => one !== undefined)).toEqual([]);
    } finally {
      await stop();
    }
  });

  it('is a page in Markdown, and a table for people', async () => {
    await change('devbox.yaml', (text) => text.replace(digest, ''));
    const markdown = await generator.run('devbox:check', ['repository', '--markdown']);
    expect(markdown.stdout).toMatch(/^# DevBoxes and images\n\n\| what \| is \|/);
    expect(markdown.stdout).toContain('VULN\\_DB is not set');
    const { stdout } = await generator.run('devbox:check', ['repository']);
    expect(stdout).toMatch(/^images\.linux +unpinned +the base image/m);
    expect(stdout).toContain('-> images.linux: ');
  });

  it('needs a repository', async () => {
    const { exitCode, stderr } = await generator.run('devbox:check', ['nowhere']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('is not a repository of devbox:create');
  });

  // The last one: it changes what main offers.
  it('says that a tool is outdated, and that it was withdrawn', async () => {
    await generator.run('release:beta', ['delve@1.26.3']);
    await generator.run('release:promote', ['delve']);
    expect((await check()).findings).toMatchObject([
      { about: 'delve', kind: 'outdated', what: 'main offers 1.26.3 instead of 1.26.2' },
    ]);

    await change('devbox.yaml', (text) => text.replace('delve: 1.26.2', 'delve: 1.26.3'));
    expect((await generator.run('devbox:create', ['repository'])).exitCode).toBe(0);
    expect((await check()).kinds).toEqual([]);
    await generator.run('release:withdraw', ['delve@1.26.3', '--reason', 'crashes on start']);
    const { findings, exitCode } = await check();
    expect(exitCode).toBe(5);
    expect(findings).toMatchObject([
      { about: 'delve', kind: 'withdrawn', what: '1.26.3 was withdrawn: crashes on start' },
    ]);
  });
});
