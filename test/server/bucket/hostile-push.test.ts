import { execFileSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitClient, type GitClient } from '../../kit/git.ts';
import { capabilities, commands, packet, packOf, rawPush, zero } from '../../kit/raw-push.ts';
import { type BucketServer, serveBucket } from './serve-bucket.ts';

/**
 * Pushes by hand, command by command: buf 1.32.0 is on both branches; `good` is a beta of buf that the rules take, `evil` a
 * stable delve that a key for betas of buf may not push.
 */
describe('a push that is not what it seems', () => {
  let server: BucketServer;
  let git: GitClient;
  let address: string;
  let work: string;
  let main: string;
  let root: string;
  let cur: string;
  let good: string;
  let evil: string;
  let pack: Buffer;

  beforeAll(async () => {
    server = await serveBucket();
    git = await createGitClient(server.dir, 'key-push');
    address = `${server.url}/git/beta/go-win-tools.git`;
    work = await git.clone(address, 'work');
    const files = { 'bucket/buf.json': server.manifest('buf', '1.32.0') };
    await git.commit(work, 'buf: Update to version 1.32.0', files);
    await git.run(work, 'switch', '-q', 'main');
    main = await git.commit(work, 'buf: Update to version 1.32.0', files);
    await git.run(work, 'tag', 'buf/v1.32.0');
    await git.run(work, 'push', '-q', '--atomic', 'origin', 'main', 'beta', 'buf/v1.32.0');
    await git.run(work, 'switch', '-q', 'beta');
    cur = await git.run(work, 'rev-parse', 'beta');
    root = await git.run(work, 'rev-list', '--max-parents=0', 'beta');
    good = await git.commit(work, 'buf: Update to version 1.33.0-beta.1', {
      'bucket/buf.json': server.manifest('buf', '1.33.0-beta.1'),
    });
    await git.run(work, 'switch', '-q', '--detach', cur);
    evil = await git.commit(work, 'delve: Update to version 9.9.9', {
      'bucket/delve.json': server.manifest('delve', '9.9.9'),
    });
    pack = packOf(work, [good, evil], [cur]);
  });
  afterAll(() => server.stop());

  const refs = (): Promise<string> => git.run(server.dir, 'ls-remote', address);
  const beta = 'refs/heads/beta';
  const atomic = (first: string, ...others: string[]): Buffer[] => [
    packet(`${first}\0${capabilities} atomic`),
    ...others.map(packet),
  ];

  type Case = [name: string, packets: () => Buffer[], says?: string];
  const cases: Case[] = [
    ['names a ref twice, first as it is', () => commands(`${cur} ${cur} ${beta}`, `${cur} ${evil} ${beta}`)],
    ['names a ref twice', () => commands(`${cur} ${good} ${beta}`, `${cur} ${evil} ${beta}`)],
    ['names a ref twice, atomically', () => atomic(`${cur} ${good} ${beta}`, `${cur} ${evil} ${beta}`)],
    [
      'makes git drop the first command',
      () => [packet(`shallow ${good}`), ...commands(`${cur} ${good} ${beta}`, `${cur} ${evil} ${beta}`)],
    ],
    [
      'comes from a shallow clone',
      () => [packet(`shallow ${good}`), ...commands(`${cur} ${good} ${beta}`)],
      'git fetch --unshallow',
    ],
    [
      'brings its commands in a certificate',
      () => [
        packet(`push-cert\0${capabilities}`),
        packet('certificate version 0.1\n'),
        packet('pusher a <a@b> 0 +0000\n'),
        packet('\n'),
        packet(`${cur} ${evil} ${beta}\n`),
        packet('push-cert-end\n'),
      ],
    ],
    [
      'asks for capabilities later',
      () => commands(`${cur} ${good} ${beta}`, `${zero} ${good} refs/tags/buf/v1.33.0-beta.1\0 atomic`),
    ],
    ['has a NUL in the name of a ref', () => [packet(`${cur} ${evil} ${beta}\0/more\0${capabilities}`)]],
    ['writes ids in upper case', () => commands(`${cur.toUpperCase()} ${evil.toUpperCase()} ${beta}`)],
    ['moves HEAD', () => commands(`${cur} ${evil} HEAD`)],
    [
      'moves a branch in another case',
      () => commands(`${zero} ${evil} refs/heads/Beta`),
      'Beta: the bucket has',
    ],
    [
      'moves a branch by another way',
      () => commands(`${cur} ${evil} refs/heads/../heads/beta`),
      'the bucket has',
    ],
    ['replaces an object', () => commands(`${zero} ${evil} refs/replace/${cur}`), 'the bucket has'],
    ['ends a branch', () => commands(`${cur} ${zero} ${beta}`), 'beta cannot be deleted'],
    ['ends a tag', () => commands(`${main} ${zero} refs/tags/buf/v1.32.0`), 'buf/v1.32.0 cannot be deleted'],
    ['has a wrong old id', () => commands(`${root} ${good} ${beta}`), 'beta has moved'],
    [
      'has a wrong old id for its tag',
      () => commands(`${cur} ${good} ${beta}`, `${root} ${good} refs/tags/buf/v1.33.0-beta.1`),
      'is at nothing here',
    ],
    [
      'has a wrong old id for its tag, atomically',
      () => atomic(`${cur} ${good} ${beta}`, `${root} ${good} refs/tags/buf/v1.33.0-beta.1`),
      'is at nothing here',
    ],
    [
      'moves two refs one by one',
      () => commands(`${cur} ${good} ${beta}`, `${zero} ${good} refs/tags/buf/v1.33.0-beta.1`),
      'git push --atomic',
    ],
    [
      'tags an object that is not there',
      () => atomic(`${cur} ${good} ${beta}`, `${zero} ${'1'.repeat(40)} refs/tags/buf/v1.33.0-beta.1`),
    ],
    ['moves a branch to what is not there', () => commands(`${cur} ${'1'.repeat(40)} ${beta}`)],
  ];

  it.each(cases)('and %s is refused completely', async (_name, packets, says) => {
    const before = await refs();

    for (const key of ['key-beta-buf', 'key-push']) {
      const { text } = await rawPush(address, key, packets(), pack);

      expect(text).not.toContain('ok refs/');
      if (key === 'key-push' && says !== undefined) expect(text).toContain(says);
    }

    expect(await refs()).toBe(before);
  });

  it('and is compressed by gzip is read like any other', async () => {
    const before = await refs();
    const body = Buffer.concat([
      ...commands(`${cur} ${good} ${beta}`, `${cur} ${evil} ${beta}`),
      Buffer.from('0000'),
      pack,
    ]);
    const send = async (encoding: string): Promise<number> => {
      const answer = await fetch(`${address}/git-receive-pack`, {
        method: 'POST',
        body: new Uint8Array(gzipSync(body)),
        headers: { Authorization: 'Bearer key-push', 'Content-Encoding': encoding },
      });
      return answer.status;
    };

    expect([await send('gzip'), await send('GZIP'), await send('br'), await send('gzip, gzip')]).toEqual([
      400, 400, 415, 415,
    ]);
    expect(await refs()).toBe(before);
  });

  it('is refused by an HTTP status if the client does not ask for a report', async () => {
    const { status, text } = await rawPush(address, 'key-push', [
      packet(`${zero} ${good} refs/heads/x\0 agent=x`),
    ]);

    expect(status).toBe(403);
    expect(text).toContain('x: the bucket has the branches main and beta');
  });

  it.skipIf(process.platform === 'win32')(
    'moves nothing when git was made to read other commands',
    async () => {
      const before = await refs();
      const hook = join(server.bucketDir, 'repo.git', 'hooks', 'pre-receive');
      const honest = execFileSync('cat', [hook]).toString();
      // As if git had read another command: the hook is told of another move than the request has.
      await writeFile(hook, honest.replace('exec ', `sed s/${good}/${evil}/ | `));
      await chmod(hook, 0o755);

      const { text } = await rawPush(address, 'key-push', commands(`${cur} ${good} ${beta}`), pack);
      await writeFile(hook, honest);

      expect(text).toContain('The server could not check this push');
      expect(await refs()).toBe(before);
      expect(server.log.join('')).toContain('git reads other commands');
    },
  );

  it.skipIf(process.platform === 'win32')(
    'moves nothing when git is about to move something else',
    async () => {
      const before = await refs();
      const hook = join(server.bucketDir, 'repo.git', 'hooks', 'reference-transaction');
      const honest = execFileSync('cat', [hook]).toString();
      await writeFile(hook, honest.replace('grep -v', `sed s/${good}/${evil}/ | grep -v`));

      const { text } = await rawPush(address, 'key-push', commands(`${cur} ${good} ${beta}`), pack);
      await writeFile(hook, honest);

      expect(text).not.toContain('ok refs/');
      expect(await refs()).toBe(before);
      expect(server.log.join('')).toContain('git would move other refs than the server has accepted');
    },
  );

  it.skipIf(process.platform === 'win32')('is repaired when git moved something else anyway', async () => {
    const before = await refs();
    const hook = join(server.bucketDir, 'repo.git', 'hooks', 'reference-transaction');
    const honest = execFileSync('cat', [hook]).toString();
    await writeFile(
      hook,
      `#!/bin/sh\n[ "$1" = prepared ] || exit 0\n[ -n "$GO_WIN_TOOLS_GATE" ] || exit 0\nunset GO_WIN_TOOLS_GATE\ngit update-ref refs/heads/stray ${main}\nexit 1\n`,
    );

    const pushed = rawPush(address, 'key-push', commands(`${cur} ${good} ${beta}`), pack);
    await expect(pushed).rejects.toThrow();
    await writeFile(hook, honest);

    expect(await refs()).toBe(before);
    expect(server.log.join('')).toContain('they are being corrected');
  });

  it('is taken when it is what it seems', async () => {
    const { text } = await rawPush(address, 'key-beta-buf', commands(`${cur} ${good} ${beta}`), pack);

    expect(text).toContain('ok refs/heads/beta');
    expect(await refs()).toContain(`${good}\t${beta}`);
  });
});
