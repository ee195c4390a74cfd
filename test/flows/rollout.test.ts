import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operator } from '../../server/audit/audit.ts';
import { delveRelease } from '../kit/generator.ts';
import { createGitClient } from '../kit/git.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { makeKey, productDir, pushNupkg } from '../kit/test-server.ts';

const versions = ['1.26.10', '1.26.9', '1.26.8', '1.26.7', '1.26.6', '1.26.5', '1.26.4', '1.26.3', '1.26.2'];
const plan = 'steps: [{ percent: 100, hold: 1h }]\n';

/** Each test goes on from what the one before has left, as the weeks of a feed do. */
describe('release:rollout with a server', () => {
  let fixture: ReleaseFixture;
  beforeAll(async () => {
    fixture = await startReleaseFixture({
      repositories: { 'go-delve/delve': versions.map((one) => delveRelease(one)) },
    });
    await writeFile(join(fixture.generator.dir, 'plan.yaml'), plan);
  });
  afterAll(() => fixture.stop());

  const run = (verb: string, ...args: string[]) => fixture.generator.run(verb, args);
  const start = (...args: string[]) => run('release:rollout', 'start', ...args, '--plan', 'plan.yaml');
  async function mustRun(verb: string, ...args: string[]) {
    const result = await run(verb, ...args);
    expect(result.exitCode, result.stderr).toBe(0);
    return result;
  }
  const get = (path: string) => fetch(`${fixture.server.url}${path}`);
  async function offered(branch: 'main' | 'beta') {
    const answer = await get(branch === 'main' ? '/m/delve.json' : '/m/beta/delve.json');
    if (answer.status === 404) return undefined;
    const { version, architecture } = (await answer.json()) as {
      version: string;
      architecture: { '64bit': { hash: string } };
    };
    return { version, hash: architecture['64bit'].hash };
  }
  const rollouts = async () =>
    (await (
      await fetch(`${fixture.server.url}/api/v1/rollouts?tool=delve`, {
        headers: { Authorization: `Bearer ${fixture.server.adminKey}` },
      })
    ).json()) as { version: string; state: string; correction?: string }[];
  const heldVersions = async () =>
    (await fixture.server.services.catalog.listHeld('delve')).map(({ version }) => version);
  /** What another program has uploaded under the number of a version. */
  async function leave(version: string, what: 'payload' | 'package'): Promise<void> {
    const { url, adminKey } = fixture.server;
    const headers = { 'X-NuGet-ApiKey': adminKey };
    const file = `${url}/dl/delve/${version}/dlv-windows-amd64.exe`;
    const body = new Uint8Array(makeNupkg({ id: 'delve', version }));
    const left =
      what === 'payload'
        ? await fetch(file, { method: 'PUT', headers, body: 'another program' })
        : await fetch(`${url}/nuget/`, { method: 'PUT', headers: { ...headers, 'X-Held': 'delve' }, body });
    expect(left.status).toBe(201);
  }
  /** The product's tool with a template of its own, whose manifests have `notes`. */
  async function toolsWithNotes(notes: string): Promise<string> {
    const folder = join(fixture.generator.dir, 'tools');
    await mkdir(folder);
    await copyFile(join(productDir, 'manifest-gen', 'tools', 'delve.yaml'), join(folder, 'delve.yaml'));
    const template = await readFile(join(productDir, 'buckets', 'go-win-tools', 'delve.json'), 'utf8');
    await writeFile(join(folder, 'delve.json'), JSON.stringify({ ...JSON.parse(template), notes }));
    return folder;
  }
  async function heldNotes(version: string): Promise<unknown> {
    const held = await fixture.server.services.heldManifests.find('delve', version);
    return (JSON.parse(held?.text ?? '') as { notes?: unknown }).notes;
  }
  const listed = () => listedAt('/nuget');
  async function offeredTo(client: string): Promise<readonly string[]> {
    const { grants } = await fixture.server.services.views.of(client);
    return grants.filter(({ isListed }) => isListed).map(({ version }) => version);
  }
  async function listedAt(feed: string) {
    const page = await (await get(`${feed}/FindPackagesById()?id='delve'&semVerLevel=2.0.0`)).text();
    return page
      .split('<entry')
      .filter((entry) => !/<d:Published[^>]*>1900-/.test(entry))
      .flatMap((entry) => /<d:Version>([^<]+)</.exec(entry)?.[1] ?? [])
      .toSorted();
  }

  it('uploads the first version for nobody, and has nothing to go back to', async () => {
    await mustRun('release:beta', 'delve@1.26.2');

    const { stdout } = await mustRun('release:rollout', 'start', 'delve', '--plan', 'plan.yaml');

    expect(stdout).toContain(
      'delve 1.26.2: started, rolling, from 1.26.2-beta.1; a rollback has nothing to go back to',
    );
    expect(await rollouts()).toMatchObject([{ version: '1.26.2', state: 'rolling' }]);
    expect((await rollouts())[0]).not.toHaveProperty('correction');
    expect(await listed()).toEqual(['1.26.2-beta.1']);
    expect(await offered('main')).toBeUndefined();
    expect((await get('/nuget/package/delve/1.26.2')).status).toBe(404);
  });

  it('gives it to everybody when it is completed, as a promotion does', async () => {
    await mustRun('release:rollout', 'complete', 'delve');

    expect(await listed()).toEqual(['1.26.2', '1.26.2-beta.1']);
    expect(await offered('main')).toMatchObject({ version: '1.26.2' });
    expect(await offered('beta')).toEqual(await offered('main'));
    await mustRun('release:verify', 'delve');
    expect((await mustRun('release:promote', 'delve')).stdout).toContain(
      'nothing to do, main already offers 1.26.2',
    );
    expect(await start('delve')).toMatchObject({ exitCode: 1 });
  });

  it('prepares the last good bytes, and starts once', async () => {
    await mustRun('release:beta', 'delve@1.26.3');
    await mustRun('release:beta', 'delve@1.26.4');
    expect(await start('delve', '--dry-run', '--out', 'made')).toMatchObject({ exitCode: 0 });
    const withoutKey = await fixture.generator.run(
      'release:rollout',
      ['start', 'delve', '--plan', 'plan.yaml', '--dry-run'],
      { env: { FEED_API_KEY: '' } },
    );
    expect(withoutKey.exitCode, withoutKey.stderr).toBe(0);
    expect(withoutKey.stderr).toContain('rings and firing alerts are not checked');
    expect(await rollouts()).toHaveLength(1);

    const first = await start('delve', '--reason', 'new', '--json');
    const again = await start('delve@1.26.4', '--json');

    expect([first.exitCode, again.exitCode], first.stderr + again.stderr).toEqual([0, 0]);
    const shown = first.stdout.split('\n').find((line) => line.includes('"event":"rollout"'));
    expect(JSON.parse(shown ?? '')).toMatchObject({
      version: '1.26.4',
      correction: '1.26.4.1',
      state: 'rolling',
    });
    expect(again.stdout).toContain('"kind":"nothing"');
    expect(await rollouts()).toHaveLength(2);
    expect(await listed()).toEqual(['1.26.2', '1.26.2-beta.1', '1.26.3-beta.1', '1.26.4-beta.1']);
  });

  it('is known to the other verbs', async () => {
    const status = await mustRun('release:status', 'delve');
    const promoted = await run('release:promote', 'delve');
    const withdrawn = await run('release:withdraw', 'delve@1.26.4', '--reason', 'x');
    const beta = await mustRun('release:beta', 'delve@1.26.4');

    expect(status.stdout).toContain('1.26.4 rolling, 100 %');
    expect(status.stdout).not.toContain('can be promoted');
    expect([promoted.exitCode, withdrawn.exitCode]).toEqual([2, 2]);
    expect(promoted.stderr).toContain('`release:rollout complete delve`');
    expect(withdrawn.stderr).toContain('`release:rollout rollback delve --reason TEXT`');
    expect(beta.stdout).toContain('nothing to do, the rollout of 1.26.4 is rolling');
    expect(await start('delve@1.26.3')).toMatchObject({ exitCode: 1 });
  });

  it('takes the version back from those that have it', async () => {
    expect(await offeredTo('pc-1')).toContain('1.26.4');
    const good = await offered('main');

    const { stdout } = await mustRun('release:rollout', 'rollback', 'delve', '--reason', 'crashes');

    expect(stdout).toContain('A machine that has delve 1.26.4 gets 1.26.4.1 by');
    expect(await offeredTo('pc-1')).toContain('1.26.4.1');
    expect(await offeredTo('pc-1')).not.toContain('1.26.4');
    expect(await offered('main')).toEqual(good);
    expect(await offered('beta')).toEqual({ ...good, version: '1.26.4.1-beta.1' });
    expect(await listed()).toEqual(['1.26.2', '1.26.2-beta.1', '1.26.3-beta.1', '1.26.4.1-beta.1']);
  });

  it('advises to promote neither what is taken back nor what replaces it', async () => {
    const status = await mustRun('release:status', 'delve');
    const check = await run('release:check', 'delve');

    expect(status.stdout).toContain('1.26.4.1-beta.1');
    expect(status.stdout).not.toContain('1.26.4.1-beta.1, by `release:promote');
    expect(check.stdout).not.toContain('release:promote');
  });

  it('gives the bytes of a lower promotion to them, too', async () => {
    await mustRun('release:promote', 'delve@1.26.3');

    expect(await offered('main')).toMatchObject({ version: '1.26.3' });
    expect(await offeredTo('pc-1')).toContain('1.26.4.2');
    expect(await offeredTo('pc-2')).not.toContain('1.26.4.2');
    expect(await offered('beta')).toMatchObject({
      version: '1.26.4.2-beta.1',
      hash: (await offered('main'))?.hash,
    });
    const again = await mustRun('release:promote', 'delve@1.26.3');
    expect(again.stdout).toContain('nothing to do');
    expect(await rollouts()).toMatchObject([{ state: 'rolled-back', correction: '1.26.4.2' }, {}]);
  });

  it('counts on after the numbers of a rollback', async () => {
    const nothing = await mustRun('release:beta', 'delve@1.26.4');
    const made = await mustRun('release:beta', 'delve@1.26.4', '--correct');

    expect(nothing.stdout).toContain('nothing to do');
    expect(made.stdout).toContain('delve 1.26.4.3-beta.1: released');
  });

  it('prepares the correction anew when main changes, and ends by a higher promotion', async () => {
    const TOOLS_DIR = await toolsWithNotes('since today');
    for (const version of ['1.26.5', '1.26.6', '1.26.7']) {
      const env = version === '1.26.6' ? { TOOLS_DIR } : {};
      const made = await fixture.generator.run('release:beta', [`delve@${version}`], { env });
      expect(made.exitCode, made.stderr).toBe(0);
    }
    // of runs that got no further: a program that is not its own, and a correction with other bytes
    await leave('1.26.6', 'payload');
    await leave('1.26.6.1', 'package');
    const started = await fixture.generator.run(
      'release:rollout',
      ['start', 'delve@1.26.6', '--plan', 'plan.yaml'],
      { env: { TOOLS_DIR } },
    );
    expect(started.exitCode, started.stderr).toBe(0);
    expect(await rollouts()).toMatchObject([{ state: 'rolling', correction: '1.26.6.1' }, {}, {}]);
    expect(await heldNotes('1.26.6')).toBe('since today');
    // what main offers, whatever the template says by now
    expect(await heldNotes('1.26.6.1')).toMatch(/^The command is dlv/);

    await mustRun('release:promote', 'delve@1.26.5');
    expect(await rollouts()).toMatchObject([{ state: 'rolling', correction: '1.26.6.2' }, {}, {}]);
    await mustRun('release:promote', 'delve@1.26.7');

    expect(await rollouts()).toMatchObject([{ version: '1.26.6', state: 'superseded' }, {}, {}]);
    expect(await offered('main')).toMatchObject({ version: '1.26.7' });
  });

  it('ends with 2 without a plan, with a ring of nobody, and for what it cannot prove', async () => {
    const { server } = fixture;
    await pushNupkg(server, makeNupkg({ id: 'by-hand', version: '1.0.0' }), server.adminKey);
    await writeFile(join(fixture.generator.dir, 'ring.yaml'), 'steps: [{ ring: nobody, hold: 1h }]\n');
    await mustRun('release:beta', 'delve@1.26.8');

    const without = await run('release:rollout', 'start', 'delve');
    const byHand = await start('by-hand');
    const unknown = await start('delv');
    const ring = await run('release:rollout', 'start', 'delve', '--plan', 'ring.yaml');
    const dry = await run('release:rollout', 'start', 'delve', '--plan', 'ring.yaml', '--dry-run');
    const bucket = join(fixture.generator.dir, 'bucket.git');
    const ours = `${server.url}/git/main/go-win-tools.git`;
    const git = await createGitClient(fixture.generator.dir);
    await git.run(git.dir, 'clone', '--quiet', '--mirror', ours, bucket);
    const elsewhere = await fixture.generator.run(
      'release:rollout',
      ['start', 'delve', '--plan', 'plan.yaml'],
      {
        env: { BUCKET_URL: bucket },
      },
    );

    expect(without).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('delve has no plan') });
    expect(byHand).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('no tool of the generator makes it'),
    });
    expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('There is no tool delv.') });
    for (const refused of [ring, dry]) {
      expect(refused, refused.stderr).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('the ring nobody, which does not exist'),
      });
      expect(refused.stderr).not.toContain('repack');
    }
    expect(await heldVersions()).not.toContain('1.26.8');
    expect(elsewhere, elsewhere.stderr).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("is not that of the feed's server"),
    });
  });

  it('leaves what it has uploaded where an alert begins meanwhile, for another try', async () => {
    const alert = { labels: { alertname: 'ErrorRatio', tool: 'delve' }, startsAt: 0, fingerprint: 'f1' };
    const startsAt = Date.now();
    const { rollouts } = fixture.server.services;
    const { foresee } = rollouts;
    const tell = (status: 'firing' | 'resolved') =>
      rollouts.takeAlerts([{ ...alert, status, startsAt }], { by: operator, ids: [] });
    rollouts.foresee = async (order) => {
      const foreseen = await foresee(order);
      await tell('firing');
      return foreseen;
    };
    const alerting = { exitCode: 1, stderr: expect.stringContaining('The alert ErrorRatio is firing') };

    expect(await start('delve')).toMatchObject(alerting);
    expect(await heldVersions()).toContain('1.26.8');
    const atOnce = await start('delve');
    await tell('resolved');
    // the manifest that the run before has left has no reason
    const forOtherReasons = await start('delve', '--skip-verify', '--reason', 'checked by hand');
    rollouts.foresee = foresee;
    await tell('resolved');

    expect(atOnce).toMatchObject(alerting);
    expect(atOnce.stderr).not.toContain('repack');
    expect(forOtherReasons).toMatchObject(alerting);
  });

  it('is promoted after all where a start went no further than the upload', async () => {
    await mustRun('release:promote', 'delve@1.26.8');

    expect(await offered('main')).toMatchObject({ version: '1.26.8' });
    await mustRun('release:beta', 'delve@1.26.9');
  });

  it('is promoted after all where another program was left there', async () => {
    await leave('1.26.9', 'payload');
    await leave('1.26.9', 'package');

    await mustRun('release:promote', 'delve@1.26.9');

    expect(await offered('main')).toMatchObject({ version: '1.26.9' });
    await mustRun('release:verify', 'delve');
    await mustRun('release:beta', 'delve@1.26.10');
  });

  it('asks for the scopes first, and for nothing more', async () => {
    const FEED_API_KEY = await makeKey(fixture.server, ['push']);
    const args = ['start', 'delve', '--plan', 'plan.yaml'];

    const { exitCode, stderr } = await fixture.generator.run('release:rollout', args, {
      env: { FEED_API_KEY },
    });

    expect(exitCode).toBe(1);
    expect(stderr).toContain('does not have the scope rollout for delve');
    expect(stderr).not.toContain('repack');
  });
});
