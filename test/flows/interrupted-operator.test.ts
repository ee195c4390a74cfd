import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommand as createBackup } from '../../server/verbs/backup.ts';
import { createCommand as createExport } from '../../server/verbs/export.ts';
import { createCommand as createRestore } from '../../server/verbs/restore.ts';
import { createCommand as createVerify } from '../../server/verbs/verify.ts';
import { mainJs } from '../kit/main-js.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { runVerb } from '../kit/operator-fixture.ts';
import { contentOf, openBucketWork, stockFeed } from '../kit/stocked-feed.ts';
import { adminKey, makeTempDir, productDir, pushNupkg, startTestServer } from '../kit/test-server.ts';

type Ended = { readonly code: number | null; readonly stderr: string; readonly isGitEnded: boolean };

/**
 * Ctrl-C in the middle of the operator's long verbs: 130, at once, and nothing half done (contract section 1). The middle is
 * held open at a command of git, whose stand-in in PATH waits there, or found by a file that the verb makes on its way.
 */
describe.skipIf(process.platform === 'win32')('Ctrl-C', () => {
  let root: string;
  let dataDir: string;
  let backupFile: string;
  let before: Awaited<ReturnType<typeof contentOf>>;

  beforeAll(async () => {
    root = await makeTempDir();
    dataDir = join(root, 'data');
    backupFile = join(root, 'feed.tar');
    const server = await startTestServer({ dataDir });
    try {
      await stockFeed(server, root);
      const files = { 'tools/big.bin': randomBytes(48 * 1024 ** 2) };
      const big = makeNupkg({ id: 'big', version: '1.0.0', files, isStored: true });
      expect((await pushNupkg(server, big, adminKey)).status).toBe(201);
      expect((await runVerb(createBackup, dataDir, backupFile)).error).toBeUndefined();
      // What a restore of the backup takes back, so that it asks git about it.
      await (await openBucketWork(server, root, 'later')).release('buf', '1.33.0');
    } finally {
      await server.stop();
    }
    before = await contentOf(dataDir);
  });
  afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));

  /** `git` waits at a command, else a file: in the folder of the run, or of the data. */
  it.each([
    { verb: 'feed:backup', at: 'git for-each-ref' },
    { verb: 'feed:backup', at: 'git pack-objects' },
    { verb: 'feed:backup', at: 'git fsck' },
    { verb: 'feed:backup', at: 'out/feed.tgz.part/tar' },
    { verb: 'feed:export', at: 'git for-each-ref' },
    { verb: 'feed:export', at: 'git pack-objects' },
    { verb: 'feed:export', at: 'out/.part/catalog.db' },
    { verb: 'bucket:check', at: 'git rev-list' },
    { verb: 'feed:verify', at: 'git fsck' },
    { verb: 'feed:verify', at: 'git cat-file --batch' },
    { verb: 'feed:verify', at: 'tmp/*/catalog.db' },
    { verb: 'feed:restore', at: 'data.restoring/blobs' },
    { verb: 'feed:restore', at: 'git fetch' },
    { verb: 'feed:restore', at: 'git merge-base' },
  ])('ends $verb with 130 at $at and leaves nothing incomplete', async ({ verb, at }) => {
    const work = await makeTempDir();
    try {
      const data = join(root, 'data');
      const args = {
        'feed:backup': [join(work, 'out', 'feed.tgz')],
        'feed:export': [join(work, 'out')],
        'feed:verify': [],
        'bucket:check': [join(data, 'bucket', 'repo.git')],
        'feed:restore': [backupFile, '--replace', '--accept-older-bucket'],
      }[verb] as string[];
      await Promise.all(['out', 'tmp', 'bin'].map((name) => mkdir(join(work, name))));
      const names = (await readdir(root)).sort();

      const { code, stderr, isGitEnded } = await interrupt(work, at, verb, ...args);

      expect(stderr).toMatch(/^Interrupted; [^\n]+\.\n$/);
      expect([code, isGitEnded]).toEqual([130, true]);
      expect(await readdir(join(work, 'tmp'))).toEqual([]);
      expect((await readdir(root)).sort()).toEqual(names);
      expect(await contentOf(data)).toEqual(before);
      const left = await readdir(join(work, 'out'), { recursive: true });
      expect(left.filter((name) => verb !== 'feed:export' || !isOfExport(name))).toEqual([]);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });

  it('leaves a feed and folders with which each of them goes on', async () => {
    const out = join(root, 'export');
    await mkdir(out);
    const export_ = await interrupt(root, 'export/.part/catalog.db', 'feed:export', out);
    expect(export_.code, export_.stderr).toBe(130);

    const ends = [
      await runVerb(createVerify, dataDir),
      await runVerb(createExport, dataDir, out),
      await runVerb(createBackup, dataDir, join(root, 'again.tar')),
      await runVerb(createRestore, dataDir, backupFile, '--replace', '--accept-older-bucket'),
    ];

    expect(ends.map(({ code, stderr }) => [code, stderr.split('\n')[0]])).toEqual([
      [0, ''],
      [0, ''],
      [0, ''],
      [0, expect.stringMatching(/^Went back: /)],
    ]);
    expect(JSON.parse(await readFile(join(out, 'index.json'), 'utf8'))).toMatchObject({ complete: true });
    expect(existsSync(join(out, '.part'))).toBe(false);
  });

  /** Runs the verb as a process of its own and sends it SIGINT as soon as it is there: at a command of git, or when a file appears. */
  async function interrupt(dir: string, at: string, verb: string, ...args: string[]): Promise<Ended> {
    const isGit = at.startsWith('git ');
    const [bin, arrived] = [join(dir, 'bin'), join(dir, 'arrived')];
    await mkdir(bin, { recursive: true });
    await mkdir(join(dir, 'tmp'), { recursive: true });
    if (isGit)
      await writeFile(join(bin, 'git'), waitingGit(at.slice('git '.length), arrived), { mode: 0o755 });
    const child = spawn(process.execPath, [mainJs, verb, ...args], {
      cwd: productDir,
      env: {
        ...process.env,
        DATA_DIR: dataDir,
        TMPDIR: join(dir, 'tmp'),
        PATH: `${bin}${delimiter}${process.env.PATH}`,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const said = text(child.stderr);
    const ended = once(child, 'close');
    const isThere = async (): Promise<boolean> => {
      if (isGit) return existsSync(arrived);
      if (at.startsWith('data.')) return existsSync(join(root, at));
      const [folder = '', name = ''] = at.split('/*/');
      if (name === '') return existsSync(join(dir, folder));
      return (await readdir(join(dir, folder))).some((found) => existsSync(join(dir, folder, found, name)));
    };
    while (!(await isThere()) && child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => setImmediate(resolve));
    child.kill('SIGINT');
    const [code] = (await ended) as [number | null];
    return {
      code,
      stderr: await said,
      isGitEnded:
        !isGit || (!existsSync(`${arrived}.went-on`) && !isAlive(Number(await readFile(arrived, 'utf8')))),
    };
  }
});

/** What an interrupted export may keep: whole files, and the index that says it is not complete. */
function isOfExport(name: string): boolean {
  return /^(index\.json|[^/]+\.nupkg|dl(\/.*)?)$/.test(name);
}

/** git itself, but for one command, at which it says that it is there and waits; in the end it goes on, so that nothing hangs. */
function waitingGit(command: string, arrived: string): string {
  return `#!/bin/sh
PATH="\${PATH#*:}"
case " $* " in
  *" ${command} "*)
    echo $$ > '${arrived}.part' && mv '${arrived}.part' '${arrived}'
    n=0
    while [ $n -lt 80 ]; do sleep 0.1; n=$((n + 1)); done
    : > '${arrived}.went-on' ;;
esac
exec git "$@"
`;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
