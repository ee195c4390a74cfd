import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { delveRelease } from '../kit/generator.ts';
import { type Listening, listen } from '../kit/listen.ts';
import { type SmallStart, startSmall } from '../kit/small-start.ts';

type Row = { event: string; what: string; subject: string; verdict: string; detail: string };

/** What comes after a release, where neither feed nor bucket nor files are a server of ours. */
describe("with another maker's feed", () => {
  // a zip holds the time of its making, so there is one of each
  const releases = ['1.26.3', '1.26.2'].map((version) => delveRelease(version));
  let small: SmallStart;
  let mirror: Listening | undefined;

  afterEach(async () => {
    await small.stop();
    await mirror?.stop();
    mirror = undefined;
  });

  /** Both, or one verb, with the files put where they are downloaded from. */
  async function release(version: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const made = join(small.dir, 'made');
    for (const verb of ['release:beta', 'release:promote']) {
      const args = [`delve@${version}`];
      if (env.PAYLOAD_URL === undefined) {
        await small.generator.run(verb, [...args, '--dry-run', '--out', made]);
        await small.serve(made);
      }
      expect(await small.generator.run(verb, args, { env })).toMatchObject({ exitCode: 0 });
    }
  }

  async function verify(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const { exitCode, stdout } = await small.generator.run('release:verify', [...args, '--json'], { env });
    const rows = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row)
      .filter(({ event }) => event === 'check');
    return { exitCode, rows, failed: rows.filter(({ verdict }) => verdict === 'failed') };
  }

  it('release:verify finds no fault, and then what was changed', async () => {
    small = await startSmall(releases);
    await release('1.26.2');

    const right = await verify(['delve']);
    expect([right.exitCode, right.failed]).toEqual([0, []]);
    for (const what of ['manifest', 'package', 'payload', 'upstream', 'checksum', 'record', 'sbom'])
      expect(right.rows).toContainEqual(expect.objectContaining({ what, verdict: 'passed' }));

    await writeFile(join(small.dir, 'www', 'delve', '1.26.2', 'dlv-windows-arm64.exe'), 'MZ');
    expect(await verify(['delve'])).toMatchObject({
      exitCode: 3,
      failed: [{ what: 'payload', subject: 'dlv-windows-arm64.exe' }],
    });
  });

  it("release:verify downloads upstream's own files from the clients' address", async () => {
    small = await startSmall(releases);
    let bend: ((bytes: Buffer) => Buffer) | undefined;
    mirror = await listen((request, response) => {
      const assets = releases.flatMap((one) => one.assets ?? []);
      const asset = assets.find(({ name }) => request.url?.endsWith(`/${name}`));
      if (asset === undefined) response.writeHead(404).end();
      else response.end(bend?.(asset.bytes) ?? asset.bytes);
    });
    const env = { PAYLOAD_URL: `${mirror.url}/{repository}/releases/download/{tag}/{asset}` };
    await release('1.26.2', env);

    const right = await verify(['delve'], env);
    expect([right.exitCode, right.failed]).toEqual([0, []]);
    for (const subject of ['dlv_1.26.2_windows_amd64.zip', 'dlv_1.26.2_windows_arm64.zip'])
      expect(right.rows).toContainEqual(
        expect.objectContaining({ what: 'payload', subject, verdict: 'passed' }),
      );

    bend = (bytes) => Buffer.concat([bytes, Buffer.from('!')]);
    const bent = await verify(['delve'], env);
    expect([bent.exitCode, bent.failed.map(({ what }) => what)]).toEqual([3, ['payload', 'payload']]);

    bend = undefined;
    pushByHand((text) => text.replace(/"hash": "../, '"hash": "00'));
    const forged = await verify(['delve'], env);
    expect([forged.exitCode, forged.failed.map(({ what }) => what)]).toEqual([3, ['manifest']]);
  });

  it.each(['unlist', 'delete'] as const)(
    'release:withdraw publishes a correction where DELETE leads to %s, also when it is repeated',
    async (onDelete) => {
      small = await startSmall(releases, { onDelete });
      await release('1.26.2');
      await release('1.26.3');
      const good = small.manifest('main').architecture['64bit']!.hash;
      const made = join(small.dir, 'made');
      const args = ['delve@1.26.3', '--reason', 'crashes on start', '--out', made];

      // the files of the correction are not there yet
      const first = await small.generator.run('release:withdraw', args);
      expect(first.exitCode, first.stderr).toBe(1);
      expect(first.stderr).toContain('does not exist');
      const left = small.feed.packages.find(({ version }) => version === '1.26.3');
      expect(left?.properties?.Published).toBe(onDelete === 'unlist' ? '1900-01-01T00:00:00' : undefined);

      let again = first;
      for (let runs = 0; runs < 3 && again.exitCode !== 0; runs += 1) {
        await small.serve(made);
        again = await small.generator.run('release:withdraw', args);
      }
      expect(again.exitCode, again.stderr).toBe(0);
      expect(again.stdout).toContain('choco upgrade delve');
      expect(good).not.toBe(small.manifest('main').architecture['64bit']!.hash);
      expect(small.manifest('main')).toMatchObject({ version: '1.26.3.1' });
      expect(small.manifest('beta')).toMatchObject({ version: '1.26.3.1' });
      expect(small.feed.packages.map(({ version }) => version)).toContain('1.26.3.1');
      expect((await verify(['delve'])).failed).toEqual([]);

      const idle = await small.generator.run('release:withdraw', args);
      expect(idle, idle.stderr).toMatchObject({ exitCode: 0 });
      expect(small.manifest('main')).toMatchObject({ version: '1.26.3.1' });
    },
  );

  it('release:withdraw refuses a version that neither feed nor bucket ever had', async () => {
    small = await startSmall(releases, { onDelete: 'delete' });
    await release('1.26.2');
    expect(
      await small.generator.run('release:withdraw', ['delve@1.26.9', '--reason', 'never was']),
    ).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('the feed does not have it') });
  });

  /** As somebody who may push to the bucket, which has no rules of ours. */
  function pushByHand(change: (text: string) => string): void {
    const work = join(small.dir, 'work');
    const git = (...args: string[]): string =>
      execFileSync(
        'git',
        ['-C', work, '-c', 'user.name=x', '-c', 'user.email=x@x.test', '-c', 'core.safecrlf=false', ...args],
        {
          encoding: 'utf8',
        },
      );
    execFileSync('git', [
      'clone',
      '--quiet',
      '-c',
      'core.autocrlf=false',
      join(small.dir, 'bucket.git'),
      work,
    ]);
    const file = join(work, 'bucket', 'delve.json');
    const text = git('show', 'HEAD:bucket/delve.json');
    writeFileSync(file, change(text));
    git('commit', '--quiet', '--all', '-m', '(chore): Look away');
    git('push', '--quiet', 'origin', 'HEAD:main');
  }
});
