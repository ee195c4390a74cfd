import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openBucket } from '../../../manifest-gen/published/bucket/repository.ts';
import { type ClientFixture, startClientFixture } from './client-fixture.ts';

describe('releases that the server publishes by itself', () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await startClientFixture();
  });
  afterEach(() => fixture.stop());

  const url = (branch: string): string => `${fixture.server.url}/git/${branch}/go-win-tools.git`;
  const inRepo = (...args: string[]): Promise<string> =>
    fixture.git.run(join(fixture.server.bucketDir, 'repo.git'), ...args);
  const finish = (): Promise<void> => fixture.server.bucket.finishCommits();
  const decide = (
    version: string,
    branches: ['main', 'beta'] | ['main'] | ['beta'],
    message?: string,
  ): Promise<void> =>
    fixture.decide({
      ...{ tool: 'delve', version, text: fixture.server.manifest('delve', version), branches },
      ...(message && { message }),
    });

  it('are the commits that a promotion makes, byte for byte', async () => {
    const at = new Date('2026-02-03T04:05:06Z');
    const note = 'U was good for a week';
    const text = fixture.server.manifest('delve', '1.22.0');
    const signal = AbortSignal.timeout(60_000);
    const bucket = await openBucket({ url: url('main'), now: () => at, env: process.env, signal });
    await bucket.fetch();
    const change = { tool: 'delve', version: '1.22.0', manifestText: text, note, taggedOn: 'main' } as const;
    const refs = await bucket.commit({ ...change, branches: ['main', 'beta'] });
    await bucket.close();

    const message = `delve: Update to version 1.22.0\n\n${note}`;
    await fixture.decide({ tool: 'delve', version: '1.22.0', text, branches: ['main', 'beta'], message, at });
    await finish();

    const format = '--format=%(objectname):%(refname)';
    expect((await inRepo('for-each-ref', format)).split('\n').sort()).toEqual([...refs].sort());
    await inRepo('fsck', '--strict');
  });

  it('are in the audit log, once, and change nothing a second time', async () => {
    await decide('1.22.0', ['main', 'beta']);
    await finish();
    const [refs, entries] = [await inRepo('for-each-ref'), await fixture.audit()];
    await finish();
    await fixture.restart();

    expect(entries.map(({ kind, subject, by }) => [kind, subject, by])).toEqual(
      ['refs/heads/main', 'refs/heads/beta', 'refs/tags/delve/v1.22.0'].map((ref) => [
        'bucket moved',
        ref,
        'ops',
      ]),
    );
    expect([await inRepo('for-each-ref'), await fixture.audit()]).toEqual([refs, entries]);
  });

  it('leave a branch alone that is ahead, and tag the first one only', async () => {
    await decide('1.23.0-beta.1', ['beta']);
    await decide('1.22.0', ['main', 'beta']);
    await decide('1.21.0', ['main', 'beta']);
    await finish();

    const version = async (branch: 'main' | 'beta') =>
      (await fixture.server.bucket.readManifest(branch, 'delve'))?.version;
    expect([await version('main'), await version('beta')]).toEqual(['1.22.0', '1.23.0-beta.1']);
    expect((await inRepo('tag')).split('\n')).toEqual(['delve/v1.22.0', 'delve/v1.23.0-beta.1']);
    expect(await inRepo('rev-parse', 'delve/v1.23.0-beta.1')).toBe(await inRepo('rev-parse', 'beta'));
  });

  it('wait for a push that is checked, and come on top of it', async () => {
    const work = await fixture.publisher.clone(url('main'), 'work');
    const pushed = await fixture.publisher.commit(work, '(chore): Say more', { 'MORE.md': 'more\n' });
    await decide('1.22.0', ['main', 'beta']);

    await Promise.all([fixture.publisher.try(work, 'push', '-q', 'origin', 'main'), finish(), finish()]);
    const again = await fixture.publisher.try(work, 'pull', '-q', '--rebase');
    await fixture.publisher.try(work, 'push', '-q', 'origin', 'main');

    expect(again.code).toBe(0);
    const log = (await inRepo('log', '--format=%s', 'main')).split('\n');
    expect(log.sort()).toEqual([
      '(chore): Begin the bucket',
      '(chore): Say more',
      'delve: Update to version 1.22.0',
    ]);
    expect(pushed).not.toBe('');
    await rm(work, { recursive: true, force: true });
  });

  it.each([
    ['foo.lock', '1.22.0'],
    ['a..b', '1.22.0'],
    ['foo', '1.22.0-beta.lock'],
  ])('do not wait for %s %s, which git has no place for', async (tool, version) => {
    const text = fixture.server.manifest('delve', '1.22.0');
    await fixture.decide({ tool, version, text, branches: ['main', 'beta'] });
    await decide('1.22.0', ['main', 'beta']);

    const answered = await fetch(`${fixture.server.url}/m/c/pc-1/delve.json`);

    expect([answered.status, JSON.parse(await answered.text()).version]).toEqual([200, '1.22.0']);
    await fixture.restart();
    expect((await fetch(`${fixture.server.url}/m/c/pc-1/delve.json`)).status).toBe(200);
  });

  it('of beta stop neither those of main nor the clients, where git cannot write', async () => {
    await decide('1.23.0-beta.1', ['beta']);
    await decide('1.22.0', ['main']);
    const lock = join(fixture.server.bucketDir, 'repo.git', 'refs', 'heads', 'beta.lock');
    await writeFile(lock, '');

    const answered = await fetch(`${fixture.server.url}/m/c/pc-1/delve.json`);
    expect([answered.status, JSON.parse(await answered.text()).version]).toEqual([200, '1.22.0']);
    await rm(lock);
    await finish();
    expect((await fixture.server.bucket.readManifest('beta', 'delve'))?.version).toBe('1.23.0-beta.1');
  });

  it('are offered where git cannot write, and tried again by a request some seconds later', async () => {
    await decide('1.22.0', ['main', 'beta']);
    const lock = join(fixture.server.bucketDir, 'repo.git', 'refs', 'heads', 'main.lock');
    await writeFile(lock, '');
    const clock = vi.spyOn(performance, 'now');
    const offered = async (): Promise<unknown[]> => {
      const answered = await fetch(`${fixture.server.url}/m/c/pc-1/delve.json`);
      return [answered.status, JSON.parse(await answered.text()).version];
    };
    const onMain = async () => (await fixture.server.bucket.readManifest('main', 'delve'))?.version;

    expect([await offered(), await onMain()]).toEqual([[200, '1.22.0'], undefined]);
    await rm(lock);
    const now = performance.now() + 10_000;
    clock.mockImplementation(() => now);
    expect([await offered(), await onMain()]).toEqual([[200, '1.22.0'], '1.22.0']);
    clock.mockRestore();
  });
});
