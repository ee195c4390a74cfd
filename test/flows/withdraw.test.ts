import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Forge } from '../kit/forge.ts';
import { delveRelease, type Generator, goreleaserRelease } from '../kit/generator.ts';
import { createGitClient, type GitClient } from '../kit/git.ts';
import { download } from '../kit/published.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { makeKey, makeTempDir, type TestServer } from '../kit/test-server.ts';
import { nowhere } from '../kit/upstream-fixture.ts';

const older = '1.26.1';
const good = '1.26.2';
const bad = '1.26.3';
const why = ['--reason', 'crashes on start'];

/** A published version is taken back, over real HTTP and git. Upstream is asked for nothing. */
describe('release:withdraw', () => {
  let fixture: ReleaseFixture;
  let server: TestServer;
  let forge: Forge;
  let generator: Generator;
  let git: GitClient;
  const offline = { env: { GITHUB_API_URL: nowhere } };

  beforeAll(async () => {
    const delve = ['1.27.2', bad, good, older].map((version) => delveRelease(version));
    fixture = await startReleaseFixture({
      repositories: { 'go-delve/delve': delve },
      scopes: ['push', 'unlist'],
    });
    ({ server, forge, generator } = fixture);
    git = await createGitClient(await makeTempDir());
    for (const version of [older, good, bad]) {
      await generator.run('release:beta', [`delve@${version}`]);
      await generator.run('release:promote', [`delve@${version}`]);
    }
  });
  afterAll(() => fixture.stop());

  it('changes nothing in a dry run, and shows the plan', async () => {
    const before = await state();

    const result = await generator.run('release:withdraw', [`delve@${bad}`, ...why, '--dry-run'], offline);

    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toContain(
      `withdraw ${bad}.1: unlist ${bad}; the correction has the bytes of ${good}`,
    );
    expect(await state()).toEqual(before);
  });

  it('unlists it, publishes a correction for choco and Scoop, and says what machines have to run', async () => {
    const result = await generator.run('release:withdraw', [`delve@${bad}`, ...why], offline);

    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.stdout).toContain(`delve ${bad}: withdrawn, ${bad}.1 has the bytes of ${good}`);
    expect(result.stdout).toContain(
      `gets ${bad}.1 by\n    choco upgrade delve\n    scoop update; scoop update delve`,
    );
    const { listed, unlisted, main, beta } = await state();
    expect(unlisted).toEqual([bad]);
    expect(listed).toContain(`${bad}.1`);
    expect([main.version, beta.version]).toEqual([`${bad}.1`, `${bad}.1`]);
    for (const file of ['dlv-windows-amd64.exe', 'dlv-windows-arm64.exe']) {
      const [now, then] = await Promise.all(
        [`${bad}.1`, good].map((version) => download(`${server.url}/dl/delve/${version}/${file}`)),
      );
      expect(now!.equals(then!), file).toBe(true);
    }
  });

  it('keeps the reason in the audit log and in the commits, which only move forward', async () => {
    const clone = await git.clone(`${server.url}/git/main/go-win-tools.git`, 'withdrawn');
    const subjects = await git.run(clone, 'log', '--format=%s', 'origin/main');
    const body = await git.run(clone, 'log', '-1', '--format=%b', 'origin/main');
    const answer = await fetch(`${server.url}/api/v1/audit?id=delve`, {
      headers: { 'X-NuGet-ApiKey': server.adminKey },
    });
    const { entries } = (await answer.json()) as {
      entries: { kind: string; version: string; detail?: string }[];
    };
    const told = entries.filter(({ detail }) => detail !== undefined);

    expect(subjects.split('\n').slice(0, 2)).toEqual([
      `delve: Update to version ${bad}.1`,
      `delve: Update to version ${bad}`,
    ]);
    expect(body.trim()).toBe(`Withdraws ${bad}: crashes on start. The bytes are those of ${good}.`);
    expect(told.map(({ kind, version, detail }) => `${kind} ${version}: ${detail}`)).toEqual([
      `package unlisted ${bad}: crashes on start`,
      `package published ${bad}.1-beta.1: ${body.trim()}`,
      `package published ${bad}.1: ${body.trim()}`,
    ]);
    expect(await git.run(clone, 'rev-parse', `delve/v${bad}.1`)).toBe(
      await git.run(clone, 'rev-parse', 'origin/main'),
    );
  });

  it('is reported by release:verify, with the reason, whatever the evidence', async () => {
    const env = { FEED_API_KEY: '' };
    const told = await generator.run('release:verify', [`delve@${bad}`], { env });
    const json = await generator.run('release:verify', [`delve@${bad}`, '--json'], { env });
    const fine = await generator.run('release:verify', ['delve', '--json'], { env });

    expect(told.exitCode, told.stderr).toBe(0);
    expect(told.stdout).toMatch(
      /delve 1\.26\.3: verified, .* checks passed.*; it was withdrawn: crashes on start/,
    );
    expect(told.stderr).toContain(`warning: ${bad}: it was withdrawn: crashes on start`);
    expect(lastEventOf(json)).toMatchObject({ kind: 'verified', withdrawn: { reason: 'crashes on start' } });
    expect(lastEventOf(fine)).toMatchObject({ kind: 'verified', version: `${bad}.1` });
    expect(lastEventOf(fine)).not.toHaveProperty('withdrawn');
  });

  it('does nothing a second time, and neither release nor promotion brings it back', async () => {
    const before = await state();

    const again = await generator.run('release:withdraw', [`delve@${bad}`, ...why], offline);
    const beta = await generator.run('release:beta', [`delve@${bad}`]);
    const promoted = await generator.run('release:promote', [`delve@${bad}`]);

    expect(again).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`delve ${bad}: nothing to do`),
    });
    expect(again.stdout).toContain('choco upgrade delve');
    expect(beta.stdout).toContain('nothing to do');
    expect(promoted.stdout).toContain('nothing to do');
    expect(await state()).toEqual(before);
  });

  it('publishes another correction when the first one is bad too, and names other versions with the same exes', async () => {
    const result = await generator.run('release:withdraw', [`delve@${bad}.1`, ...why], offline);

    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.stdout).toContain(`${bad}.2 has the bytes of ${older}`);
    expect(result.stderr).toContain(`warning: ${good} has the same exes as ${bad}.1`);
    expect((await state()).main.version).toBe(`${bad}.2`);
  });

  it('only unlists a version that main no longer offers', async () => {
    const result = await generator.run('release:withdraw', [`delve@${good}`, ...why], offline);

    expect(result.stdout).toContain(`delve ${good}: withdrawn, unlist ${good}; ${bad}.2 is offered`);
    expect(await state()).toMatchObject({ main: { version: `${bad}.2` }, unlisted: [good, bad, `${bad}.1`] });
  });

  it('replaces a beta by the next one, which cannot be promoted; --correct makes it again', async () => {
    await generator.run('release:beta', ['delve@1.27.2']);

    const result = await generator.run('release:withdraw', ['delve@1.27.2-beta.1', ...why], offline);
    const { main, beta } = await state();
    const promoted = await generator.run('release:promote', ['delve@1.27.2']);
    const idle = await generator.run('release:beta', ['delve@1.27.2']);
    const anew = await generator.run('release:beta', ['delve@1.27.2', '--correct']);

    expect(result.stdout).toContain('1.27.2-beta.2 has the bytes of');
    expect(result.stdout).toContain('choco upgrade delve --pre');
    expect([main.version, beta.version]).toEqual([`${bad}.2`, '1.27.2-beta.2']);
    expect(promoted).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('in place of a withdrawn beta'),
    });
    expect(idle.stdout).toContain('nothing to do, 1.27.2 was withdrawn');
    expect(anew.stdout).toContain('delve 1.27.2-beta.3: released');
  });

  it('leaves testers on a newer version alone', async () => {
    const result = await generator.run(
      'release:withdraw',
      [`delve@${bad}.2`, ...why, '--to', older],
      offline,
    );

    expect(result.exitCode, result.stderr).toBe(0);
    const { main, beta } = await state();
    expect([main.version, beta.version]).toEqual([`${bad}.3`, '1.27.2-beta.3']);
  });

  it.each([
    [['delve@9.9.9', ...why], 1, 'the feed does not have it'],
    [['delve@nonsense', ...why], 2, 'nonsense is not a version'],
    [['buf@1.0.0', ...why], 1, 'The feed lists no version of it'],
    [['nosuch@1.0.0', ...why], 1, 'There is no tool nosuch'],
    [[`delve@${bad}.3`, ...why, '--to', '9.9.9'], 1, '9.9.9 cannot replace it: the feed does not have it'],
    [[`delve@${bad}.3`, ...why, '--to', bad], 1, 'it was withdrawn itself'],
    [['delve', ...why], 2, 'names no version'],
    [[`delve@${bad}.3`], 2, '--reason TEXT is missing'],
    [[`delve@${bad}.3`, '--reason', ' '], 2, 'It is empty'],
  ])('answers %j with exit %i and changes nothing', async (args, exitCode, sentence) => {
    const before = await state();

    const result = await generator.run('release:withdraw', args, offline);

    expect(result).toMatchObject({ exitCode, stderr: expect.stringContaining(sentence) });
    expect(await state()).toEqual(before);
  });

  it('notices a key that may not unlist before anything is changed', async () => {
    const before = await state();
    const env = { ...offline.env, FEED_API_KEY: await makeKey(server, ['push']) };

    const result = await generator.run('release:withdraw', [`delve@${bad}.3`, ...why], { env });

    expect(result).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('does not have the scope unlist for delve; it has: push:beta, push'),
    });
    expect(await state()).toEqual(before);
  });

  it('unlists the only version, says that Scoop still offers it, and publishes an older one of upstream as correction', async () => {
    forge.addRepository('goreleaser/goreleaser', ['1.26.0', '1.25.1'].map(goreleaserRelease));
    await generator.run('release:beta', ['goreleaser@1.26.0']);
    await generator.run('release:promote', ['goreleaser']);

    const full = await generator.run('release:withdraw', ['goreleaser@1.26.0', ...why], {
      env: { GITHUB_API_URL: nowhere, CACHE_DIR: '/dev/null/cache' },
    });
    const dry = await generator.run('release:withdraw', ['goreleaser@1.26.0', ...why, '--dry-run'], offline);
    const result = await generator.run('release:withdraw', ['goreleaser@1.26.0', ...why], offline);
    const status = await generator.run('release:status', ['goreleaser', '--json'], offline);

    // a disk that takes nothing is no reason to think the package broken
    expect(full).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('a local operation failed') });
    expect(full.stderr).toContain('Nothing was published');
    expect(dry.exitCode).toBe(1);
    expect(dry.stderr).toContain('goreleaser 1.26.0 would be unlisted');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('--to OLDER');
    expect(result.stderr).toContain('goreleaser 1.26.0 is unlisted, but Scoop still offers it');
    expect(result.stderr).toContain('so it loses the tool by\n    choco uninstall goreleaser\n');
    // what happened, what mends it, which machines have it, what they run
    const hints = [
      'but Scoop still offers it',
      '--to OLDER',
      'which machines have it',
      'so it loses the tool by',
    ];
    const places = hints.map((hint) => result.stderr.indexOf(hint));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(JSON.parse(status.stdout)).toMatchObject({
      unfinished: [expect.stringContaining('1.26.0 was withdrawn, main still offers it')],
    });
    const check = await generator.run('release:check', ['goreleaser']);
    expect(check).toMatchObject({ exitCode: 5, stdout: expect.stringContaining('--to OLDER') });

    // no commit says why yet; the audit log does, to whoever may read it
    const unread = await generator.run('release:verify', ['goreleaser', '--json']);
    const read = await generator.run('release:verify', ['goreleaser', '--json'], {
      env: { FEED_API_KEY: server.adminKey },
    });
    expect(lastEventOf(unread)).toMatchObject({ version: '1.26.0', kind: 'verified', withdrawn: {} });
    expect(lastEventOf(read)).toMatchObject({ withdrawn: { reason: 'crashes on start' } });

    const back = ['goreleaser@1.26.0', ...why, '--to', '1.25.1'];
    const cured = await generator.run('release:withdraw', back);
    const again = await generator.run('release:withdraw', back);

    expect(cured.exitCode, cured.stderr).toBe(0);
    expect(cured.stdout).toContain('goreleaser 1.26.0: withdrawn, 1.26.0.1 has the bytes of 1.25.1');
    expect((await manifest('m/goreleaser.json')).version).toBe('1.26.0.1');
    expect((await manifest('m/beta/goreleaser.json')).version).toBe('1.26.0.1');
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('choco upgrade goreleaser') });
    const after = await generator.run('release:status', ['goreleaser', '--json']);
    expect(JSON.parse(after.stdout)).not.toHaveProperty('unfinished');
    expect((await generator.run('release:verify', ['goreleaser'])).exitCode).toBe(0);
  });

  async function state() {
    const answer = await fetch(`${server.url}/nuget/FindPackagesById()?id='delve'&semVerLevel=2.0.0`);
    const entries = (await answer.text()).split('<entry').slice(1);
    const packages = entries.map((entry) => ({
      version: /<d:Version>([^<]+)</.exec(entry)![1]!,
      isListed: !/<d:Published[^>]*>1900-/.test(entry),
    }));
    const versions = (isListed: boolean) =>
      packages.filter((one) => one.isListed === isListed).map(({ version }) => version);
    return {
      listed: versions(true).sort(),
      unlisted: versions(false).sort(),
      main: await manifest('m/delve.json'),
      beta: await manifest('m/beta/delve.json'),
    };
  }

  async function manifest(path: string): Promise<{ version: string }> {
    return (await (await fetch(`${server.url}/${path}`)).json()) as { version: string };
  }
});

function lastEventOf({ stdout }: { readonly stdout: string }): unknown {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
}
