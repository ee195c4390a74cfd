import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClientGrant } from '../../../server/bucket/client-offers.ts';
import { type ClientFixture, grantOf, startClientFixture } from './client-fixture.ts';

/** Where `tsx` is found. */
const root = join(import.meta.dirname, '..', '..', '..');

/** The server is killed by its own git, right before or after the n-th process of a request does its work. */
describe.skipIf(process.platform === 'win32')('a bucket whose server is killed', () => {
  let fixture: ClientFixture;
  let folder: string;
  let text: string;
  beforeEach(async () => {
    fixture = await startClientFixture();
    await fixture.release('delve', '1.21.2');
    text = await fixture.hold('delve', '1.22.0');
    folder = await fixture.git.clone(fixture.address('pc-1'), 'clone');
  });
  afterEach(() => fixture.stop());

  type Moment = { readonly when: 'before' | 'after'; readonly args: string };

  /** Serves in another process, asks for the client's refs, and waits until that process is dead. */
  async function askUntilKilled({ when, args }: Moment, view: readonly ClientGrant[]): Promise<void> {
    await fixture.close();
    const bin = join(fixture.dir, 'bin');
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
      ['--import', 'tsx', script, fixture.dir, JSON.stringify({ 'pc-1': view })],
      {
        cwd: root,
        env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const closed = once(child, 'close');
    for await (const url of createInterface({ input: child.stdout })) {
      const address = `${url}/git/c/pc-1/go-win-tools.git`;
      await fixture.git.try(fixture.dir, 'ls-remote', address);
    }
    const [, signal] = await closed;
    expect(signal).toBe('SIGKILL');
    const { git: client, publisher } = fixture;
    fixture = { ...(await startClientFixture({ dir: fixture.dir })), git: client, publisher };
    await client.run(folder, 'remote', 'set-url', 'origin', fixture.address('pc-1'));
  }

  const pull = async (): Promise<void> => {
    await fixture.git.run(folder, 'pull', '--quiet', '--ff-only');
    expect(await fixture.git.run(folder, 'status', '--porcelain')).toBe('');
    await fixture.git.run(folder, 'fsck', '--strict');
  };
  const blob = (): Promise<string> => fixture.git.run(folder, 'cat-file', 'blob', 'HEAD:bucket/delve.json');

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
    fixture.views.set('pc-1', view);
    await pull();
    expect(await blob()).toBe(text.trim());
    const links = fixture.db.prepare('SELECT commit_oid AS oid FROM client_links ORDER BY number').all() as {
      oid: string;
    }[];
    expect(links.at(-1)?.oid).toBe(await fixture.git.run(folder, 'rev-parse', 'HEAD'));
  });

  it.each<Moment>([
    { when: 'after', args: 'fast-import' },
    // The branches have moved, the audit log does not say so yet.
    { when: 'after', args: 'update-ref' },
  ])('$when git $args publishes what was decided once, with its audit entries', async (moment) => {
    await fixture.decide({ tool: 'delve', version: '1.22.0', text, branches: ['main', 'beta'] });

    await askUntilKilled(moment, []);

    await pull();
    expect(await blob()).toBe(text.trim());
    const repo = join(fixture.server.bucketDir, 'repo.git');
    const refs = (await fixture.git.run(repo, 'for-each-ref', '--format=%(refname)')).split('\n');
    const released = ['beta', 'main'].map((branch) => `refs/heads/${branch}`);
    expect(refs.sort()).toEqual([...released, 'refs/tags/delve/v1.21.2', 'refs/tags/delve/v1.22.0']);
    const moved = (await fixture.audit()).slice(-3);
    const [beta, main] = await Promise.all(
      ['beta', 'main'].map((name) => fixture.git.run(repo, 'rev-parse', name)),
    );
    const before = (await fixture.git.run(repo, 'rev-parse', 'main~', 'beta~')).split('\n');
    expect(moved.sort((one, other) => (one.subject < other.subject ? -1 : 1))).toEqual([
      { kind: 'bucket moved', subject: 'refs/heads/beta', digest: `${before[1]}->${beta}`, by: 'ops' },
      { kind: 'bucket moved', subject: 'refs/heads/main', digest: `${before[0]}->${main}`, by: 'ops' },
      { kind: 'bucket moved', subject: 'refs/tags/delve/v1.22.0', digest: `->${main}`, by: 'ops' },
    ]);
  });
});
