import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publishManifest } from '../../../manifest-gen/publish/manifest.ts';
import type { GitKey } from '../../../manifest-gen/published/bucket/git.ts';
import { type BucketRepository, openBucket } from '../../../manifest-gen/published/bucket/repository.ts';
import { listen } from '../../kit/listen.ts';

let dir: string;
let url: string;
let opened: BucketRepository[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bucket-branch-'));
  url = join(dir, 'bucket.git');
  opened = [];
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', url]);
});
afterEach(async () => {
  await Promise.all(opened.map((one) => one.close()));
  rmSync(dir, { recursive: true, force: true });
});

describe('publishManifest', () => {
  it('begins an empty bucket with one root for both branches', async () => {
    const bucket = await open();

    expect(await publishManifest(bucket, release('1.22.0-beta.1', ['beta']))).toBe('pushed');

    expect(show('beta:bucket/delve.json')).toBe(manifest('1.22.0-beta.1'));
    expect(git('log', '--format=%s|%an', 'beta')).toBe(
      'delve: Update to version 1.22.0-beta.1|go-win-tools\n(chore): Begin the bucket|go-win-tools',
    );
    expect(git('rev-parse', 'beta')).toBe(git('rev-parse', 'delve/v1.22.0-beta.1'));
    expect(git('rev-parse', 'main')).toBe(git('rev-list', '--max-parents=0', 'beta'));
  });

  it('removes the placeholder from a bucket without tools, which Scoop would count', async () => {
    const input = { encoding: 'utf8', input: 'One file TOOL.json for each tool.\n' } as const;
    const blob = execFileSync('git', ['-C', url, 'hash-object', '-w', '--stdin'], input).trim();
    const tree = (line: string) =>
      execFileSync('git', ['-C', url, 'mktree'], { encoding: 'utf8', input: line }).trim();
    const top = tree(`040000 tree ${tree(`100644 blob ${blob}\t.gitkeep\n`)}\tbucket\n`);
    const who = ['-c', 'user.name=x', '-c', 'user.email=x@localhost'];
    const root = git(...who, 'commit-tree', top, '-m', '(chore): Begin the bucket');
    for (const branch of ['main', 'beta']) git('update-ref', `refs/heads/${branch}`, root);

    await publishManifest(await open(), release('1.22.0-beta.1', ['beta']));

    expect(git('ls-tree', '--name-only', 'beta:bucket')).toBe('delve.json');
    expect(git('ls-tree', '--name-only', 'main:bucket')).toBe('.gitkeep');
  });

  it('changes nothing when the branch offers this version already', async () => {
    const bucket = await open();
    await publishManifest(bucket, release('1.22.0-beta.1', ['beta']));
    const tip = git('rev-parse', 'beta');

    expect(await publishManifest(bucket, release('1.22.0-beta.1', ['beta']))).toBe('same');

    expect(git('rev-parse', 'beta')).toBe(tip);
  });

  it('puts one blob on both branches and the tag on main', async () => {
    const bucket = await open();
    await publishManifest(bucket, release('1.22.0-beta.1', ['beta']));

    await publishManifest(bucket, release('1.22.0', ['main', 'beta']));

    expect(git('rev-parse', 'main:bucket/delve.json')).toBe(git('rev-parse', 'beta:bucket/delve.json'));
    expect(git('rev-parse', 'main')).toBe(git('rev-parse', 'delve/v1.22.0'));
    expect(git('rev-list', '--count', 'main')).toBe('2');
    expect(git('rev-list', '--count', 'beta')).toBe('3');
  });

  it('leaves a newer beta alone when main moves', async () => {
    const bucket = await open();
    await publishManifest(bucket, release('1.23.0-beta.1', ['beta']));
    const tip = git('rev-parse', 'beta');

    await publishManifest(bucket, release('1.22.0', ['main', 'beta']));

    expect(git('rev-parse', 'beta')).toBe(tip);
    expect(show('main:bucket/delve.json')).toBe(manifest('1.22.0'));
  });

  it('leaves the tag on main when only beta lacks the release', async () => {
    const bucket = await open();
    await publishManifest(bucket, release('1.22.0-beta.1', ['beta']));
    await publishManifest(bucket, release('1.22.0', ['main']));
    const tip = git('rev-parse', 'main');

    expect(await publishManifest(bucket, release('1.22.0', ['main', 'beta']))).toBe('pushed');

    expect(git('rev-parse', 'main')).toBe(tip);
    expect(git('rev-parse', 'delve/v1.22.0')).toBe(tip);
    expect(show('beta:bucket/delve.json')).toBe(manifest('1.22.0'));
  });

  it('refuses to move its own branch back', async () => {
    const bucket = await open();
    await publishManifest(bucket, release('1.23.0-beta.1', ['beta']));

    await expect(publishManifest(bucket, release('1.22.0-beta.1', ['beta']))).rejects.toMatchObject({
      code: 'BUCKET_REFUSED',
      exitCode: 1,
      message: expect.stringContaining('offers delve 1.23.0-beta.1'),
    });
  });

  it('lets eight simultaneous writers all add their commit', async () => {
    const tools = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    await publishManifest(await open(), release('0.1.0-beta.1', ['beta']));
    const buckets = await Promise.all(tools.map(() => open()));

    await Promise.all(
      tools.map((tool, at) => publishManifest(buckets[at]!, { ...release('1.0.0-beta.1', ['beta']), tool })),
    );

    for (const tool of tools) expect(show(`beta:bucket/${tool}.json`)).toBe(manifest('1.0.0-beta.1'));
    expect(git('rev-list', '--count', 'beta')).toBe('10');
  });

  it.skipIf(process.platform === 'win32')(
    "says the server's reason and moves nothing when a hook refuses",
    async () => {
      writeFileSync(
        join(url, 'hooks', 'pre-receive'),
        '#!/bin/sh\necho "the version must rise" >&2\nexit 1\n',
      );
      chmodSync(join(url, 'hooks', 'pre-receive'), 0o755);

      await expect(publishManifest(await open(), release('1.22.0-beta.1', ['beta']))).rejects.toMatchObject({
        code: 'BUCKET_REFUSED',
        message: expect.stringContaining('the version must rise'),
      });
      expect(git('for-each-ref')).toBe('');
    },
  );

  it('says that a bucket cannot be reached, without the password in its address', async () => {
    const bucket = await open('http://me:secret@127.0.0.1:1/bucket.git');

    await expect(publishManifest(bucket, release('1.22.0-beta.1', ['beta']))).rejects.toSatisfy((error) => {
      expect(error).toMatchObject({ code: 'BUCKET_UNREACHABLE', exitCode: 4 });
      expect(String(error)).not.toContain('secret');
      return true;
    });
  });

  it('does not call a push refused when its answer never came', async () => {
    const bucket = await open();
    const lost = {
      ...bucket,
      push: () => Promise.reject(new Error(`fatal: unable to access 'x': Empty reply`)),
    };

    await expect(publishManifest(lost, release('1.22.0-beta.1', ['beta']))).rejects.toMatchObject({
      code: 'BUCKET_UNREACHABLE',
      message: expect.stringContaining('Empty reply'),
    });
  });

  it('says that git is missing', async () => {
    await expect(open(url, { PATH: dir })).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
      message: expect.stringContaining('git'),
    });
  });

  it('names the manifest that cannot be read', async () => {
    const bucket = await open();
    await publishManifest(bucket, { ...release('1.0.0', ['beta']), manifestText: '{ "version": 1 }' });
    await bucket.fetch();

    await expect(bucket.version('beta', 'delve')).rejects.toMatchObject({
      code: 'CONTENT_INVALID',
      message: expect.stringContaining('bucket/delve.json on branch beta'),
    });
  });

  it('never sends its key where the bucket redirects', async () => {
    const seen: (string | undefined)[] = [];
    const other = await listen((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    const own = await listen(({ url: path }, response) =>
      response.writeHead(302, { location: `${other.url.replace('127.0.0.1', 'localhost')}${path}` }).end(),
    );
    try {
      const bucket = await open(`${own.url}/bucket.git`, process.env, {
        url: `${own.url}/`,
        value: 'secret',
        isDirect: false,
      });

      await expect(bucket.fetch()).rejects.toMatchObject({ code: 'BUCKET_UNREACHABLE' });
      expect(seen).toEqual([]);
    } finally {
      await own.stop();
      await other.stop();
    }
  });

  it.each([
    ['reads without its key where none is asked for', 404, [undefined], 'BUCKET_UNREACHABLE'],
    ['reads with its key where one is asked for', 401, [undefined, 'Bearer secret'], 'BUCKET_CLOSED'],
  ])('%s', async (_, status, expected, code) => {
    const seen: (string | undefined)[] = [];
    const own = await listen((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(status, { 'www-authenticate': 'Basic realm="x"' }).end();
    });
    try {
      const key = { url: `${own.url}/`, value: 'secret', isDirect: false };
      const bucket = await open(`${own.url}/bucket.git`, process.env, key);

      await expect(bucket.fetch()).rejects.toSatisfy((error) => {
        expect(error).toMatchObject({ code });
        expect(String(error)).not.toContain('secret');
        return true;
      });
      expect(seen).toEqual(expected);
    } finally {
      await own.stop();
    }
  });

  it('never sends a key for this machine through a proxy', async () => {
    const seen: (string | undefined)[] = [];
    const proxy = await listen((request, response) => {
      seen.push(`proxy ${request.headers.authorization}`);
      response.writeHead(404).end();
    });
    const own = await listen((request, response) => {
      seen.push(`own ${request.headers.authorization}`);
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    });
    try {
      const key = { url: `${own.url}/`, value: 'secret', isDirect: true };
      const env = { ...process.env, http_proxy: proxy.url, no_proxy: '', NO_PROXY: '' };
      const bucket = await open(`${own.url}/bucket.git`, env, key);

      await expect(bucket.fetch()).rejects.toMatchObject({ code: 'BUCKET_CLOSED' });
      expect(seen).toEqual(['own undefined', 'own Bearer secret']);
    } finally {
      await own.stop();
      await proxy.stop();
    }
  });

  it('ignores the repository of a surrounding hook', async () => {
    const bucket = await open(url, {
      ...process.env,
      GIT_DIR: join(dir, 'elsewhere'),
      GIT_INDEX_FILE: join(dir, 'index'),
    });

    expect(await publishManifest(bucket, release('1.22.0-beta.1', ['beta']))).toBe('pushed');
  });
});

function release(version: string, branches: readonly ['main' | 'beta', ...('main' | 'beta')[]]) {
  return { tool: 'delve', version, manifestText: manifest(version), branches };
}

function manifest(version: string): string {
  return `{\n    "version": "${version}"\n}\n`;
}

async function open(
  address = url,
  env: NodeJS.ProcessEnv = process.env,
  key?: GitKey,
): Promise<BucketRepository> {
  const bucket = await openBucket({
    url: address,
    env,
    key,
    signal: new AbortController().signal,
    now: () => new Date('2026-11-24T08:00:00Z'),
  });
  opened.push(bucket);
  return bucket;
}

function git(...args: string[]): string {
  return execFileSync('git', ['-C', url, ...args], { encoding: 'utf8' }).trim();
}

function show(path: string): string {
  return execFileSync('git', ['-C', url, 'cat-file', 'blob', path], { encoding: 'utf8' });
}
