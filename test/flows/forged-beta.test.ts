import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startForge } from '../kit/forge.ts';
import { type Part, packagedWith, withRecord, withText } from '../kit/forged-beta.ts';
import { delveRelease, type Generator } from '../kit/generator.ts';
import { createGitClient } from '../kit/git.ts';
import { download, versionsOn } from '../kit/published.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { makeKey, makeTempDir, pushNupkg, type TestServer } from '../kit/test-server.ts';
import { nowhere } from '../kit/upstream-fixture.ts';

const version = '1.26.2-beta.1';
const upstream = delveRelease('1.26.2');
const skip = ['--skip-verify', '--reason', 'the forge is down'];
const offline = { env: { GITHUB_API_URL: nowhere } };

/** Whoever may push betas writes what they say of themselves. Promotion believes none of it. */
describe('a beta that somebody made by hand', () => {
  let fixture: ReleaseFixture;
  let server: TestServer;
  let generator: Generator;
  let key: string;

  beforeEach(async () => {
    fixture = await startReleaseFixture({
      repositories: { 'go-delve/delve': [upstream] },
      scopes: ['push', 'unlist'],
    });
    ({ server, generator } = fixture);
    key = await makeKey(server, ['push:beta']);
  });
  afterEach(() => fixture.stop());

  let firstMade: Promise<Buffer> | undefined;
  /** The genuine package, not published: the same in every test. */
  const genuine = (): Promise<Buffer> => (firstMade ??= makeGenuine());

  async function makeGenuine(): Promise<Buffer> {
    await generator.run('release:beta', ['delve@1.26.2', '--dry-run', '--out', 'made']);
    return readFile(join(generator.dir, 'made', `delve.${version}.nupkg`));
  }

  async function exeOf(architecture: string): Promise<Buffer> {
    const asset = upstream.assets!.find(({ name }) => name.includes(architecture))!;
    return new AdmZip(asset.bytes).readFile('dlv.exe')!;
  }

  /** By hand, with the attacker's key: the payloads, then the package. The branch gets nothing. */
  async function publish(nupkg: Buffer, payloads: Readonly<Record<string, Buffer>> = {}): Promise<number> {
    for (const architecture of ['amd64', 'arm64']) {
      const answer = await fetch(`${server.url}/dl/delve/${version}/dlv-windows-${architecture}.exe`, {
        method: 'PUT',
        headers: { 'X-NuGet-ApiKey': key },
        body: new Uint8Array(payloads[architecture] ?? (await exeOf(architecture))),
      });
      expect(answer.status).toBe(201);
    }
    await fetch(`${server.url}/dl/delve/${version}/delve.cdx.json`, {
      method: 'PUT',
      headers: { 'X-NuGet-ApiKey': key },
      body: await sbomText(),
    });
    return (await pushNupkg(server, nupkg, key)).status;
  }

  /** As a genuine release has it. */
  const sbomText = (): Promise<string> => (firstSbom ??= releaseElsewhere());
  let firstSbom: Promise<string> | undefined;

  async function releaseElsewhere(): Promise<string> {
    const other = await startReleaseFixture({ repositories: { 'go-delve/delve': [upstream] } });
    await other.generator.run('release:beta', ['delve@1.26.2']);
    const text = await (await fetch(`${other.server.url}/dl/delve/${version}/delve.cdx.json`)).text();
    await other.stop();
    return text;
  }

  async function expectRefusals(args: readonly (readonly string[])[], sentence: RegExp): Promise<void> {
    for (const more of args) {
      const result = await generator.run('release:promote', ['delve', ...more]);
      expect(result, more.join(' ')).toMatchObject({
        exitCode: 3,
        stderr: expect.stringMatching(sentence),
      });
    }
    expect(await versionsOn(server, 'delve')).toEqual([version]);
    expect((await fetch(`${server.url}/m/delve.json`)).status).toBe(404);
  }

  it('is refused where upstream has other files, whatever it claims; only promoted unchecked on request', async () => {
    const evil = await startForge();
    evil.addRepository('go-delve/delve', [delveRelease('1.26.2', { filler: 'of the attacker' })]);
    const theirs = { env: { GITHUB_API_URL: evil.apiUrl, FEED_API_KEY: key } };
    expect(await generator.run('release:beta', ['delve@1.26.2'], theirs)).toMatchObject({ exitCode: 0 });
    await evil.stop();

    await expectRefusals([[], ['--dry-run']], /cannot become stable: .* expected .*, found /);
    const unreachable = await generator.run('release:promote', ['delve'], offline);
    const silent = await generator.run('release:promote', ['delve', '--skip-verify'], offline);
    const told = await generator.run('release:promote', ['delve', ...skip], offline);

    expect(unreachable).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('--from BUNDLE') });
    expect(unreachable.stderr).toContain('--skip-verify --reason TEXT');
    expect(silent).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('needs --reason TEXT') });
    expect(told.exitCode, told.stderr).toBe(0);
    expect(told.stdout).toContain('its evidence was not repeated: the forge is down');
    expect(told.stderr).toMatch(/skipped +upstream of github\.com\/go-delve\/delve@v1\.26\.2: Not asked/);
    const audit = await fetch(`${server.url}/api/v1/audit?id=delve`, {
      headers: { 'X-NuGet-ApiKey': server.adminKey },
    });
    expect(await audit.json()).toMatchObject({
      entries: expect.arrayContaining([
        expect.objectContaining({
          kind: 'package published',
          version: '1.26.2',
          detail: 'promoted with --skip-verify: the forge is down',
        }),
      ]),
    });
  });

  it('is promoted when it is what the recipe makes', async () => {
    expect(await publish(await genuine())).toBe(201);

    const result = await generator.run('release:promote', ['delve']);

    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.stderr).toContain(`Branch beta never offered ${version}`);
  });

  const dependency = withText('delve.nuspec', (text) =>
    text.replace(
      '</metadata>',
      '  <dependencies><dependency id="evil" version="1.0.0" /></dependencies>\n  </metadata>',
    ),
  );
  const otherRecipe = withRecord((record) => ({ ...record, packaging: `3:${'0'.repeat(64)}` }));
  const otherPacker = withRecord((record) => ({ ...record, packaging: `9:${'0'.repeat(64)}` }));

  it.each<[string, (parts: readonly Part[]) => readonly Part[], RegExp]>([
    ['a foreign dependency', dependency, /delve\.nuspec .* expected line \d+/],
    [
      'a dependency, and a record of another recipe',
      (parts) => otherRecipe(dependency(parts)),
      /delve\.nuspec/,
    ],
    [
      'a dependency, and a record of another packer',
      (parts) => otherPacker(dependency(parts)),
      /release:beta delve/,
    ],
    [
      'another description',
      withText('delve.nuspec', (text) => text.replace('<description>', '<description>x')),
      /delve\.nuspec/,
    ],
    [
      'another VERIFICATION',
      withText('tools/VERIFICATION.txt', (text) => `${text}Trust me.\n`),
      /VERIFICATION\.txt/,
    ],
    [
      'evidence that there is none of',
      withRecord(({ evidence, ...record }) => ({
        ...record,
        evidence: [...evidence, { kind: 'minisign', verdict: 'passed', subject: 'x', detail: 'Signed.' }],
      })),
      /VERIFICATION\.txt|release\.json/,
    ],
    [
      'an install script',
      (parts) => [...parts, { name: 'tools/chocolateyInstall.ps1', content: Buffer.from('calc\n') }],
      /SHA-256/,
    ],
    [
      'its nuspec under another name',
      (parts) =>
        parts.map((part) => (part.name === 'delve.nuspec' ? { ...part, name: 'Delve.NUSPEC' } : part)),
      /SHA-256/,
    ],
    [
      'another exe than its record says',
      (parts) =>
        parts.map((part) =>
          part.name === 'tools/dlv.exe'
            ? { ...part, content: Buffer.concat([part.content, Buffer.from('!')]) }
            : part,
        ),
      /the exe/,
    ],
  ])('is refused with %s, also with --skip-verify', async (_what, change, sentence) => {
    expect(await publish(await packagedWith(await genuine(), change))).toBe(201);

    await expectRefusals([[], skip], sentence);
  });

  it("is refused with another licence than upstream's; without upstream, the report says that it was not compared", async () => {
    const change = withText('tools/LICENSE.txt', (text) => `${text}Pay here.\n`);
    expect(await publish(await packagedWith(await genuine(), change))).toBe(201);

    await expectRefusals([[]], /package of tools\/LICENSE\.txt .* found line \d+ "Pay here\."/);
    const told = await generator.run('release:promote', ['delve', ...skip, '--dry-run']);

    expect(told.exitCode, told.stderr).toBe(0);
    expect(told.stderr).toContain("LICENSE.txt: It came with upstream's files, which were not fetched");
  });

  it('is refused when its record names another recipe, even if everything else matches', async () => {
    expect(await publish(await packagedWith(await genuine(), otherRecipe))).toBe(201);

    await expectRefusals([[], skip], /record of its packaging .* expected 3:[0-9a-f]{64}, found 3:0{64}/);
  });

  it('is refused when its record claims a bundle and rewords the evidence', async () => {
    const claim = withRecord(({ source, evidence, ...record }) => ({
      ...record,
      source: { ...source, kind: 'bundle' as const },
      evidence: evidence.map((one) => ({
        ...one,
        detail: `${one.detail} Pay at https://phishing.example/.`,
      })),
    }));
    const said = (text: string): string =>
      text.replaceAll(/(\.)(\r?\n)/g, '$1 Pay at https://phishing.example/.$2');
    const change = (parts: readonly Part[]) => withText('tools/VERIFICATION.txt', said)(claim(parts));
    expect(await publish(await packagedWith(await genuine(), change))).toBe(201);

    await expectRefusals([[]], /package of tools\/release\.json .* expected line \d+/);
  });

  it("becomes stable with upstream's notes, not with those that somebody wrote into it", async () => {
    fixture.forge.addRepository('go-delve/delve', [{ ...upstream, body: 'Fixes a crash.' }]);
    const planted = withText('delve.nuspec', (text) =>
      text.replace('Fixes a crash.', 'Renew your licence at https://phishing.example/ today.'),
    );
    expect(await publish(await packagedWith(await makeGenuine(), planted))).toBe(201);

    const result = await generator.run('release:promote', ['delve']);

    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.stderr).toContain('skipped');
    expect(result.stderr).toContain("Upstream's release notes differ from the package's");
    const nuspec = new AdmZip(await download(`${server.url}/nuget/package/delve/1.26.2`)).readAsText(
      'delve.nuspec',
    );
    expect(nuspec).toContain('Fixes a crash.');
    expect(nuspec).not.toContain('phishing');
  });

  it('loses notes that its source does not have', async () => {
    const [, own = ''] = /<releaseNotes>(.*?)<\/releaseNotes>/s.exec(
      new AdmZip(await genuine()).readAsText('delve.nuspec'),
    )!;
    const planted = withText('delve.nuspec', (text) =>
      text.replace('<releaseNotes>', '<releaseNotes>See https://phishing.example/.\n\n'),
    );
    expect(await publish(await packagedWith(await genuine(), planted))).toBe(201);

    const result = await generator.run('release:promote', ['delve']);

    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.stderr).toContain('There are no upstream notes');
    const nuspec = new AdmZip(await download(`${server.url}/nuget/package/delve/1.26.2`)).readAsText(
      'delve.nuspec',
    );
    expect(nuspec).toContain(`<releaseNotes>${own}</releaseNotes>`);
  });

  it('is refused by the feed with two entries of one name', async () => {
    const twice = (parts: readonly Part[]) => [...parts, parts.find(({ name }) => name === 'delve.nuspec')!];

    expect(await publish(await packagedWith(await genuine(), twice))).toBe(400);
  });

  it('is refused where Scoop downloads another exe', async () => {
    const arm64 = Buffer.concat([await exeOf('arm64'), Buffer.from('!')]);
    await publish(await genuine(), { arm64 });

    await expectRefusals([[], skip], /payload of dlv-windows-arm64\.exe .* expected .*SHA-256/);
  });

  it('is refused with a manifest that does more than the recipe lets it', async () => {
    expect(await generator.run('release:beta', ['delve@1.26.2'])).toMatchObject({ exitCode: 0 });
    const git = await createGitClient(await makeTempDir());
    const clone = await git.clone(
      `${server.url}/git/beta/go-win-tools.git`,
      'bucket',
      '-c',
      'core.autocrlf=false',
    );
    const file = join(clone, 'bucket', 'delve.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"architecture"', '"pre_install": "calc",\n    "architecture"'));
    await git.run(clone, 'commit', '--quiet', '--all', '-m', '(chore): Tidy up');
    // the rules of our own server may refuse it; a bucket elsewhere has none
    await git.run(clone, 'branch', '--force', 'main', 'origin/main');
    const env = { BUCKET_URL: clone };

    for (const more of [[], skip]) {
      expect(await generator.run('release:promote', ['delve', ...more], { env })).toMatchObject({
        exitCode: 3,
        stderr: expect.stringMatching(/manifest of delve\.json .* expected line \d+/),
      });
    }
  });

  it("cannot block a withdrawal by taking the number of the correction's first beta", async () => {
    fixture.forge.addRepository('go-delve/delve', [upstream, delveRelease('1.26.1')]);
    for (const one of ['delve@1.26.1', 'delve@1.26.2'])
      for (const verb of ['release:beta', 'release:promote'])
        expect(await generator.run(verb, [one])).toMatchObject({ exitCode: 0 });
    const good = await download(`${server.url}/nuget/package/delve/1.26.1`);
    const planted = await packagedWith(good, (parts) =>
      withText('delve.nuspec', (text) =>
        text
          .replace('<version>1.26.1<', '<version>1.26.2.1-beta.1<')
          .replace('<description>', '<description>x'),
      )(withRecord((record) => ({ ...record, version: '1.26.2.1-beta.1' }))(parts)),
    );
    expect((await pushNupkg(server, planted, key)).status).toBe(201);
    const put = await fetch(`${server.url}/dl/delve/1.26.2.1-beta.2/dlv-windows-amd64.exe`, {
      method: 'PUT',
      headers: { 'X-NuGet-ApiKey': key },
      body: new Uint8Array(await exeOf('amd64')),
    });
    expect(put.status).toBe(201);

    const result = await generator.run('release:withdraw', ['delve@1.26.2', '--reason', 'crashes'], offline);

    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.stderr).toContain('1.26.2.1-beta.1 exists with other bytes, so 1.26.2.1-beta.2 is made');
    expect(result.stdout).toContain('withdrawn, 1.26.2.1 has the bytes of 1.26.1');
    const manifest = await fetch(`${server.url}/m/delve.json`);
    expect(await manifest.json()).toMatchObject({ version: '1.26.2.1' });
    expect(await versionsOn(server, 'delve')).toContain('1.26.2.1-beta.3');
  });

  it('is not made from bytes that upstream released under another version', async () => {
    const [old, next] = ['1.26.2', '1.26.3'].map((one) => delveRelease(one, { isSilent: true }));
    fixture.forge.addRepository('go-delve/delve', [next!, old!]);
    expect(await generator.run('release:beta', ['delve@1.26.2'])).toMatchObject({ exitCode: 0 });

    const result = await generator.run('release:beta', ['delve@1.26.3']);

    expect(result).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining(
        'expected bytes that no other version has, found bytes that were released as 1.26.2-beta.1',
      ),
    });
    expect(await versionsOn(server, 'delve')).toEqual([version]);
  });

  it('is refused when it is a correction with the bytes of an older version that was never withdrawn to', async () => {
    const old = delveRelease('1.26.1');
    fixture.forge.addRepository('go-delve/delve', [upstream, old]);
    await generator.run('release:beta', ['delve@1.26.1', '--dry-run', '--out', 'old']);
    const nupkg = await readFile(join(generator.dir, 'old', 'delve.1.26.1-beta.1.nupkg'));
    for (const verb of ['release:beta', 'release:promote']) await generator.run(verb, ['delve@1.26.2']);
    const correction = '1.26.2.1-beta.1';
    const forged = await packagedWith(nupkg, (parts) =>
      withText('delve.nuspec', (text) => text.replaceAll('1.26.1-beta.1', correction))(
        withRecord((record) => ({ ...record, version: correction }))(parts),
      ),
    );
    expect((await pushNupkg(server, forged, key)).status).toBe(201);

    const result = await generator.run('release:promote', ['delve']);

    expect(result).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('1.26.2.1-beta.1 has the bytes of 1.26.1'),
    });
  });
});
