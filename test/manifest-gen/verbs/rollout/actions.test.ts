import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../../../server/audit/audit.ts';
import type { Generator } from '../../../kit/generator.ts';
import { makeGenerator } from '../../../kit/generator.ts';
import { type RolloutServer, startRolloutServer } from '../../../server/api/rollout-server.ts';

const plan = {
  steps: [
    { ring: 'canary', hold: '4h' },
    { percent: 50, hold: '6h' },
  ],
};

describe('release:rollout', () => {
  let server: RolloutServer;
  let generator: Generator;
  beforeEach(async () => {
    server = await startRolloutServer([{ glob: 'buf', owners: 1 }]);
    server.held.add('delve 1.22.0').add('buf 1.33.0');
    await server.see('pc-1', 'it-1');
    await server.setRing('canary', 'it-*');
    const FEED_API_KEY = await server.key(['push', 'rollout'], { owner: 'ann' });
    // a folder without any tool's file
    generator = await makeGenerator({
      FEED_URL: `${server.url}/nuget`,
      FEED_API_KEY,
      TOOLS_DIR: import.meta.dirname,
    });
  });
  afterEach(async () => {
    await generator.stop();
    await server.stop();
  });

  const rollout = (...args: string[]) => generator.run('release:rollout', args);
  const begin = (tool: string, version: string) =>
    server.call('POST', '/rollouts', generator.env.FEED_API_KEY, { tool, version, plan });

  it('shows the newest rollout of each tool, or those of one', async () => {
    expect(await rollout('status')).toMatchObject({ exitCode: 0, stdout: 'There is no rollout.\n' });
    await begin('delve', '1.22.0');
    await rollout('rollback', 'delve', '--reason', 'x');
    server.held.add('delve 1.23.0');
    await begin('delve', '1.23.0');

    const { stdout } = await rollout('status');

    expect(stdout).toBe(
      [
        'tool   version  state    step    reached         admitted  received  waits for',
        'delve  1.23.0   rolling  1 of 2  canary: 1 of 2  0         0         the end of its hold, not before 2026-11-30T13:00:00.000Z',
        '',
      ].join('\n'),
    );
    const lines = (await rollout('status', 'delve', '--json')).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      {
        event: 'rollout',
        ...((await server.call('GET', '/rollouts/2', generator.env.FEED_API_KEY))[1] as object),
      },
      expect.objectContaining({ event: 'rollout', version: '1.22.0', state: 'rolled-back', plan }),
    ]);
  });

  it.each([
    ['halt', 'halted', ['--reason', 'odd logs']],
    ['advance', 'rolling', []],
    ['complete', 'completed', []],
    ['rollback', 'rolled-back', ['--reason', 'crashes']],
  ])('%s leaves it %s', async (action, state, more) => {
    await begin('delve', '1.22.0');

    const { exitCode, stdout, stderr } = await rollout(action, 'delve', '--json', ...more);

    expect(exitCode, stderr).toBe(0);
    const { history, ...shown } = JSON.parse(stdout) as { history: object[] };
    expect(shown).toMatchObject({ event: 'rollout', id: 1, tool: 'delve', version: '1.22.0', state });
    expect(history.at(-1)).toMatchObject({ action, by: 'ann', ...(more[1] ? { reason: more[1] } : {}) });
  });

  it('has nothing to do where it is done already', async () => {
    await begin('delve', '1.22.0');
    for (const action of ['halt', 'resume', 'rollback']) {
      const first = await rollout(action, 'delve', '--reason', 'x');
      const again = await rollout(action, 'delve@v1.22.0', '--reason', 'x');

      expect([first.exitCode, again.exitCode]).toEqual([0, 0]);
      expect(first.stdout).not.toContain('nothing to do');
      expect(again.stdout).toContain('nothing to do: it is ');
    }
    const [, { history }] = await server.call('GET', '/rollouts/1', generator.env.FEED_API_KEY);
    expect(history).toHaveLength(4);
  });

  it('finds the rollout however its version is spelled', async () => {
    await begin('delve', '1.22.0');

    const { exitCode, stderr } = await rollout('halt', 'delve@1.22', '--reason', 'x');

    expect(exitCode, stderr).toBe(0);
    expect((await rollout('status', 'delve@1.22')).stdout).toContain('1.22.0   halted');
    expect((await rollout('status', 'delve@1.23')).stdout).toBe('There is no rollout.\n');
  });

  it('answers status with --quiet too, and nothing else', async () => {
    await begin('delve', '1.22.0');

    expect(await rollout('halt', 'delve', '--quiet', '--reason', 'x')).toMatchObject({
      stdout: '',
      stderr: '',
    });
    expect((await rollout('status', '--quiet')).stdout).toContain('delve  1.22.0   halted');
  });

  it('says after a rollback what machines have to run', async () => {
    await begin('delve', '1.22.0');

    const { stdout } = await rollout('rollback', 'delve', '--reason', 'crashes');

    expect(stdout).toContain('There is nothing to go back to: main offered no version of delve before.');
    expect(stdout).toContain('feed:clients list --given delve@1.22.0\n');
    const status = await rollout('status', 'delve');
    expect(status.stdout).toContain(
      'delve 1.22.0 was rolled back at 2026-11-30T09:00:00.000Z, by ann: crashes\n  feed:clients list --given delve@1.22.0 shows',
    );
  });

  describe('while the server and others go on', () => {
    /** As the server and others change a rollout after it was listed, and before the action arrives. */
    function meanwhile(work: () => Promise<unknown>): void {
      const { find } = server.rollouts;
      server.rollouts.find = async (id) => {
        server.rollouts.find = find;
        await work();
        return find(id);
      };
    }
    const step = async () => {
      for (let at = 0; at <= 4 * 3600; at += 30) {
        server.time = new Date(server.time.getTime() + 30_000);
        await server.rollouts.tick();
      }
    };
    const by = { by: operator };
    const change = (kind: 'advance' | 'halt' | 'resume') => server.rollouts.act(1, { kind }, by);
    beforeEach(async () => {
      await begin('delve', '1.22.0');
      await server.rollouts.admit('it-1');
      await server.rollouts.receive('it-1', 1);
    });

    it('ends no hold but the one that was seen', async () => {
      meanwhile(step);

      const { exitCode, stderr } = await rollout('advance', 'delve');

      expect(exitCode).toBe(1);
      expect(stderr).toContain('has moved on since it was looked at');
      expect(stderr).toContain('it is rolling, step 2 of 2');
      expect(await server.rollouts.find(1)).toMatchObject({ state: 'rolling', step: 1 });
    });

    it('ends the hold of a step that is named, once', async () => {
      const first = await rollout('advance', 'delve', '--step', '1');
      const again = await rollout('advance', 'delve', '--step', '1');

      expect([first.exitCode, again.exitCode], first.stderr + again.stderr).toEqual([0, 0]);
      expect(again.stdout).toContain('nothing to do: it is rolling, step 2');
      expect(await rollout('advance', 'delve', '--step', '3')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining(
          'is not at the step that was named, so `advance` was not carried out',
        ),
      });
      expect(await rollout('advance', 'delve', '--step', 'first')).toMatchObject({ exitCode: 2 });
      expect(await server.rollouts.find(1)).toMatchObject({ state: 'rolling', step: 1 });
    });

    it('has nothing to do where the hold of the step that is named ends meanwhile', async () => {
      meanwhile(step);

      const { exitCode, stdout, stderr } = await rollout('advance', 'delve', '--step', '1');

      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain('nothing to do: it is rolling, step 2');
      expect(await server.rollouts.find(1)).toMatchObject({ state: 'rolling', step: 1 });
    });

    it('has nothing to do where the last step is over, if it is named', async () => {
      await change('advance');
      const first = await rollout('advance', 'delve', '--step', '2');
      const again = await rollout('advance', 'delve', '--step', '2');

      expect([first.exitCode, again.exitCode], first.stderr + again.stderr).toEqual([0, 0]);
      expect(first.stdout).not.toContain('nothing to do');
      expect(again.stdout).toContain('nothing to do: it is completed');
      expect(await rollout('advance', 'delve')).toMatchObject({ exitCode: 1 });
    });

    it('has nothing to do where everybody gets it meanwhile, if a step is named', async () => {
      meanwhile(() => server.rollouts.act(1, { kind: 'complete' }, by));

      const { exitCode, stdout, stderr } = await rollout('advance', 'delve', '--step', '1');

      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain('nothing to do: it is completed');
    });

    it('resumes from no halt but the one that was seen', async () => {
      await change('halt');
      meanwhile(async () => {
        await change('resume');
        server.time = new Date(server.time.getTime() + 1000);
        await change('halt');
      });

      expect(await rollout('resume', 'delve', '--reason', 'x')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('has moved on since it was looked at'),
      });
      expect(await server.rollouts.find(1)).toMatchObject({ state: 'halted' });
    });

    it('halts whatever was seen, and has nothing to do where somebody else has', async () => {
      meanwhile(step);
      expect(await rollout('halt', 'delve', '--reason', 'x')).toMatchObject({ exitCode: 0 });
      await change('resume');
      meanwhile(() => change('halt'));

      const { exitCode, stdout, stderr } = await rollout('halt', 'delve', '--reason', 'x');

      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain('nothing to do: it is halted');
    });
  });

  it('shows who has halted a rollout, or which alert, and why', async () => {
    await begin('delve', '1.22.0');
    await rollout('halt', 'delve', '--reason', 'odd logs');
    const status = async () => (await rollout('status', 'delve')).stdout;

    expect(await status()).toContain(
      'delve 1.22.0 has been halted since 2026-11-30T09:00:00.000Z, by ann: odd logs\n',
    );
    await rollout('resume', 'delve', '--reason', 'x');
    expect(await status()).not.toContain('by ann');
    const alert = {
      status: 'firing',
      labels: { alertname: 'ErrorRatio', tool: 'delve' },
      fingerprint: 'f1',
    } as const;
    await server.rollouts.takeAlerts([{ ...alert, startsAt: server.time.getTime() }], {
      by: { ...operator, keyName: 'alertmanager' },
      ids: [],
    });
    expect(await status()).toContain(', by alertmanager: alert ErrorRatio\n');
  });

  it('knows no tool without a rollout that has no file either', async () => {
    await begin('delve', '1.22.0');

    const statusOf = (tool: string) =>
      generator.run('release:rollout', ['status', tool], { env: { TOOLS_DIR: '' } });
    expect(await statusOf('delv')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('There is no tool delv.'),
    });
    // where the folder cannot be read the server's answer is all there is
    const unread = await rollout('status', 'delv');
    expect(unread, unread.stderr).toMatchObject({ exitCode: 0, stdout: 'There is no rollout.\n' });
    const buf = await statusOf('buf');
    expect(buf, buf.stderr).toMatchObject({ exitCode: 0, stdout: 'There is no rollout.\n' });
  });

  it.each([
    ['halt', 'rollout'],
    ['approve', 'approve'],
  ])('of %s names the scope %s to a key without it', async (action, scope) => {
    await begin('delve', '1.22.0');
    const run = (FEED_API_KEY: string) =>
      generator.run('release:rollout', [action, 'delve', '--reason', 'x'], { env: { FEED_API_KEY } });

    expect(await run(await server.key(['unlist']))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`does not have the scope ${scope} for delve; it has: unlist`),
    });
    expect(await run('')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('There is no key for the feed'),
    });
    const unknown = await run('unknown-key-of-nobody');
    expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is unknown') });
    expect(unknown.stderr).not.toContain('scope read');
    expect(unknown.stderr).not.toContain('saved credentials');
  });

  it('passes on why an action is refused, with exit 1', async () => {
    await begin('delve', '1.22.0');
    await rollout('halt', 'delve', '--reason', 'x');

    expect(await rollout('advance', 'delve')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^The rollout of delve 1\.22\.0 is halted, step 1 of 2, so advance is not possible now\. Check release:rollout status delve\.\n/,
      ),
    });
    expect(await rollout('advance', 'buf')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Cannot advance: buf has no open rollout.'),
    });
  });

  it('names release:withdraw for what everybody has', async () => {
    await begin('delve', '1.22.0');
    await rollout('complete', 'delve');

    const { exitCode, stderr } = await rollout('rollback', 'delve', '--reason', 'crashes');

    expect(exitCode).toBe(1);
    expect(stderr).toContain('no open rollout, and that of 1.22.0 is completed');
  });

  it('approves and rejects with the key of another owner only', async () => {
    await begin('buf', '1.33.0');
    const approve = (key: string) =>
      generator.run('release:rollout', ['approve', 'buf'], { env: { FEED_API_KEY: key } });

    expect(await approve(await server.key(['approve'], { owner: 'ANN' }))).toMatchObject({ exitCode: 1 });
    const approved = await approve(await server.key(['approve'], { owner: 'bob' }));

    expect(approved.exitCode, approved.stderr).toBe(0);
    expect(approved.stdout).toContain('rolling');
    expect(await rollout('reject', 'buf')).toMatchObject({ exitCode: 1 });
  });

  describe('while one waits for approvals and the one before goes on', () => {
    let approver: string;
    const decide = (action: string) =>
      generator.run('release:rollout', [action, 'buf'], { env: { FEED_API_KEY: approver } });
    const states = async () => (await server.rollouts.list('buf')).map(({ state }) => state);
    beforeEach(async () => {
      approver = await server.key(['approve'], { owner: 'bob' });
      await begin('buf', '1.33.0');
      await decide('approve');
      server.held.add('buf 1.34.0');
      await begin('buf', '1.34.0');
    });

    it('finds the one that an action is for', async () => {
      expect(await states()).toEqual(['pending', 'rolling']);
      for (const action of ['halt', 'resume', 'advance', 'halt']) {
        const { exitCode, stderr } = await rollout(action, 'buf', '--reason', 'x');
        expect(exitCode, stderr).toBe(0);
      }
      expect(await states()).toEqual(['pending', 'halted']);
      const status = await rollout('status');
      expect(status.stdout).toMatch(/buf +1\.34\.0 +pending .*\nbuf +1\.33\.0 +halted/);
      await decide('approve');
      expect(await states()).toEqual(['rolling', 'superseded']);
    });

    it('leaves the one before as it was when the other is rejected', async () => {
      expect((await decide('reject')).exitCode).toBe(0);
      expect((await decide('reject')).stdout).toContain('nothing to do: it is rejected');
      expect(await states()).toEqual(['rejected', 'rolling']);
      server.time = new Date(server.time.getTime() + 1000);
      expect((await rollout('complete', 'buf')).exitCode).toBe(0);
      expect((await rollout('complete', 'buf')).stdout).toContain('nothing to do: it is completed');
    });

    it('takes the one before back, and no more than once', async () => {
      for (const said of ['rolled-back', 'nothing to do: it is rolled-back']) {
        expect((await rollout('rollback', 'buf', '--reason', 'x')).stdout).toContain(said);
      }
      expect(await states()).toEqual(['pending', 'rolled-back']);
      // it was completed by nobody
      expect(await rollout('complete', 'buf')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('buf 1.34.0 is pending'),
      });
    });
  });

  it('ends with 2 without a key, and where the feed has no rollouts', async () => {
    const without = await generator.run('release:rollout', ['status'], { env: { FEED_API_KEY: '' } });
    const elsewhere = await generator.run('release:rollout', ['status'], {
      env: { FEED_URL: `${server.url}/another/nuget` },
    });

    expect(without).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('There is no key') });
    expect(elsewhere).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('that has rollouts') });
  });

  it('ends with 4 while the server is away', async () => {
    await server.stop();

    expect(await rollout('halt', 'delve', '--reason', 'x')).toMatchObject({ exitCode: 4 });
    server = await startRolloutServer();
  });
});
