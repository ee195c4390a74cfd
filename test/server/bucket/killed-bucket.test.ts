import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClientGrant } from '../../../server/bucket/client-offers.ts';
import { type ClientWorld, grantOf, startClientWorld } from './client-world.ts';

/** Where `tsx` is found. */
const root = join(import.meta.dirname, '..', '..', '..');

/** The server is killed by its own git, right before or after the n-th process of a request does its work. */
describe.skipIf(process.platform === 'win32')('a bucket whose server is killed', () => {
  let world: ClientWorld;
  let folder: string;
  let text: string;
  beforeEach(async () => {
    world = await startClientWorld();
    await world.release('delve', '1.21.2');
    text = await world.hold('delve', '1.22.0');
    folder = await world.git.clone(world.address('pc-1'), 'clone');
  });
  afterEach(() => world.stop());

  type Moment = { readonly when: 'before' | 'after'; readonly args: string };

  /** Serves in another process, asks for the client's refs, and waits until that process is dead. */
  async function askUntilKilled({ when, args }: Moment, view: readonly ClientGrant[]): Promise<void> {
    await world.close();
    const bin = join(world.dir, 'bin');
    await mkdir(bin);
    const git = (process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, 'git'));
    await writeFile(
      join(bin, 'git'),
      `#!/bin/sh
for real in ${git.map((file) => `'${file}'`).join(' ')}; do [ -x "$real" ] && break; done
case "$*" in *${args}*) ;; *) exec "$real" "$@" ;; esac
[ ${when} = before ] && kill -9 $PPID && exit 1
"$real" "$@"
kill -9 $PPID
`,
    );
    await chmod(join(bin, 'git'), 0o755);
    const script = join(import.meta.dirname, 'serve-until-killed.ts');
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', script, world.dir, JSON.stringify({ 'pc-1': view })],
      {
        cwd: root,
        env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const closed = once(child, 'close');
    for await (const url of createInterface({ input: child.stdout })) {
      const address = `${url}/git/c/pc-1/go-win-tools.git`;
      await world.git.try(world.dir, 'ls-remote', address);
    }
    const [, signal] = await closed;
    expect(signal).toBe('SIGKILL');
    const { git: client, publisher } = world;
    world = { ...(await startClientWorld({ dir: world.dir })), git: client, publisher };
    await client.run(folder, 'remote', 'set-url', 'origin', world.address('pc-1'));
  }

  const pull = async (): Promise<void> => {
    await world.git.run(folder, 'pull', '--quiet', '--ff-only');
    expect(await world.git.run(folder, 'status', '--porcelain')).toBe('');
    await world.git.run(folder, 'fsck', '--strict');
  };
  const blob = (): Promise<string> => world.git.run(folder, 'cat-file', 'blob', 'HEAD:bucket/delve.json');

  it.each<Moment>([
    // The commit is there, its row is not.
    { when: 'after', args: 'fast-import' },
    // The row is there, the client has no answer.
    { when: 'before', args: 'http-backend' },
  ])('$when git $args goes on with a line that only moves forward', async (moment) => {
    const view = [grantOf('delve', '1.22.0')];

    await askUntilKilled(moment, view);

    await pull();
    expect(await blob()).toContain('1.21.2');
    world.views.set('pc-1', view);
    await pull();
    expect(await blob()).toBe(text.trim());
    const links = world.db.prepare('SELECT commit_oid AS oid FROM client_links ORDER BY number').all() as {
      oid: string;
    }[];
    expect(links.at(-1)?.oid).toBe(await world.git.run(folder, 'rev-parse', 'HEAD'));
  });

  it.each<Moment>([
    { when: 'after', args: 'fast-import' },
    // The branches have moved, the audit log does not say so yet.
    { when: 'after', args: 'update-ref' },
  ])('$when git $args publishes what was decided once, with its audit entries', async (moment) => {
    await world.decide({ tool: 'delve', version: '1.22.0', text, branches: ['main', 'beta'] });

    await askUntilKilled(moment, []);

    await pull();
    expect(await blob()).toBe(text.trim());
    const repo = join(world.server.bucketDir, 'repo.git');
    const refs = (await world.git.run(repo, 'for-each-ref', '--format=%(refname)')).split('\n');
    const released = ['beta', 'main'].map((branch) => `refs/heads/${branch}`);
    expect(refs.sort()).toEqual([...released, 'refs/tags/delve/v1.21.2', 'refs/tags/delve/v1.22.0']);
    const moved = (await world.audit()).slice(-3);
    const [beta, main] = await Promise.all(
      ['beta', 'main'].map((name) => world.git.run(repo, 'rev-parse', name)),
    );
    const before = (await world.git.run(repo, 'rev-parse', 'main~', 'beta~')).split('\n');
    expect(moved.sort((one, other) => (one.subject < other.subject ? -1 : 1))).toEqual([
      { kind: 'bucket moved', subject: 'refs/heads/beta', digest: `${before[1]}->${beta}`, by: 'ops' },
      { kind: 'bucket moved', subject: 'refs/heads/main', digest: `${before[0]}->${main}`, by: 'ops' },
      { kind: 'bucket moved', subject: 'refs/tags/delve/v1.22.0', digest: `->${main}`, by: 'ops' },
    ]);
  });
});
