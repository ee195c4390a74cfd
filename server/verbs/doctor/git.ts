import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withTempDir } from '../../../formats/scoped.ts';
import { inShort } from '../../../formats/thrown.ts';
import { createGit, type Git, runGit } from '../../bucket/git-backend.ts';
import { requireHooks } from '../../bucket/hook.ts';
import { channels } from '../../bucket/push.ts';
import { readRef } from '../../bucket/refs.ts';
import { pathsIn } from '../../data-dir.ts';
import { FeedError } from '../../errors.ts';
import { type Check, type Finding, failed, ok, type Place, skip, warn } from './check.ts';

/** The first that has the hook `reference-transaction`, which lets no ref move that was not accepted (hook.ts). */
const leastGit = [2, 28] as const;

/** git itself, and the bucket of this machine. */
export const git: Check = {
  name: 'git',
  needs: ['temp'],
  limitMs: 120_000,
  look: (place) => withTempDir(join(tmpdir(), 'go-win-tools-doctor-'), (home) => lookAtGit(home, place)),
};

async function lookAtGit(home: string, { config, env, signal }: Place): Promise<Finding> {
  const version = await versionOf({ ...createGit(home, home, env), signal });
  if (version === undefined) return failed('there is no git in PATH', 'install git 2.28 or newer');
  const { dataDir, databaseUrl } = config;
  const paths = pathsIn(databaseUrl === undefined ? dataDir : join(dataDir, 'replica'));
  const dir = join(paths.bucket, 'repo.git');
  if (!existsSync(dir)) return skip(`git ${version}; there is no bucket in ${dataDir}`);
  const tips = await Promise.all(channels.map((channel) => readRef(dir, `refs/heads/${channel}`)));
  const facts = {
    version,
    dir,
    missing: channels.filter((_, at) => tips[at] === undefined),
    hooks: await problemOf(() => requireHooks(dir)),
    damage: await problemOf(() =>
      runGit({ ...createGit(dir, home, env), signal }, fsck, { timeoutMs: 100_000 }),
    ),
  };
  return judgeGit(facts);
}

/** Whether everything that is named is there; what is in the objects is feed:verify's. */
const fsck = ['fsck', '--connectivity-only', '--no-dangling', '--no-progress'];

export type GitFacts = {
  readonly version: string;
  readonly dir: string;
  readonly missing: readonly string[];
  /** Why the hooks cannot run. */
  readonly hooks: string | undefined;
  /** What git said of the repository. */
  readonly damage: string | undefined;
};

export function judgeGit({ version, dir, missing, hooks, damage }: GitFacts): Finding {
  if (missing.length > 0)
    return failed(
      `the bucket has no branch ${missing.join(' and no branch ')} (${dir})`,
      'restore the last backup, or start the server: a new bucket gets both from it',
    );
  if (hooks !== undefined)
    return failed(
      `pushes to the bucket are refused: ${hooks}`,
      'let the folder be on a volume that is not mounted noexec, and start the server again',
    );
  if (damage !== undefined)
    return failed(
      `the bucket is damaged: ${damage}`,
      'feed:verify says what is lost; restore it from the last backup',
    );
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < leastGit[0] || (major === leastGit[0] && minor < leastGit[1]);
  return isOld
    ? warn(
        `git ${version} is older than ${leastGit.join('.')}`,
        'install a newer one: this one cannot guard the branches a second time',
      )
    : ok(`git ${version}; the bucket is whole, with its hooks and both branches`);
}

async function versionOf(inHome: Git): Promise<string | undefined> {
  try {
    const text = (await runGit(inHome, ['--version'])).toString();
    return /\d+\.\d+(\.\d+)*/.exec(text)?.[0];
  } catch (error) {
    if (error instanceof FeedError && error.code === 'GIT_MISSING') return undefined;
    throw error;
  }
}

/** What git itself said, where it said something. */
async function problemOf(look: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await look();
    return undefined;
  } catch (error) {
    return inShort(error instanceof FeedError && error.code === 'GIT_FAILED' ? error.cause : error);
  }
}
