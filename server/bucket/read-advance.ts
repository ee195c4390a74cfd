import { fail } from '../errors.ts';
import { requiredNames } from './file-rules.ts';
import { type Environment, type Git, runGit } from './git-backend.ts';
import type { Advance, Change, Channel, PushedCommit } from './push.ts';
import { type Difference, diffTrees } from './tree-diff.ts';
import { folderMode, type TreeReader } from './trees.ts';

/** Real pushes have a handful of commits; a bundle for an isolated network brings every release of some years. */
const maxCommits = 2_000;
/** Of files, over all commits: every rule checks each of them. */
const maxChanges = 20_000;
/** Of manifests, over all commits: several rules compare each of them while everybody else waits. */
const maxUrls = 20_000;

/** Why the pusher may not touch a path; undefined when they may. */
export type RefusePath = (channel: Channel, path: string) => string | undefined;

/**
 * What a branch gains between `current` and `next`, commit by commit along the first parents. Permissions are checked first: no
 * file is read before its commit's paths are all allowed.
 * @throws FeedError PUSH_REFUSED with what `refusePath` says, PUSH_TOO_LARGE, PUSH_TOO_SLOW
 */
export async function readAdvance(
  git: Git,
  quarantine: Environment,
  trees: TreeReader,
  branch: { readonly channel: Channel; readonly current: string; readonly next: string },
  refusePath: RefusePath,
): Promise<Advance> {
  const { channel, current, next } = branch;
  const oids = await listCommits(git, quarantine, current, next);
  const first = oids[0] === undefined ? undefined : await trees.commit(oids[0]);
  if (first === undefined || first.parents[0] !== current) {
    return { channel, isForward: next === current, commits: [] };
  }
  const commits: PushedCommit[] = [];
  let changeCount = 0;
  let urlCount = 0;
  let before = (await trees.commit(current))?.tree;
  for (const oid of oids) {
    const commit = await trees.commit(oid);
    if (commit === undefined) {
      return fail('GIT_FAILED', {}, new Error(`the pushed commit ${oid} cannot be read`));
    }
    const differences = await listDifferences(trees, before, commit.tree);
    changeCount += differences.length;
    if (changeCount > maxChanges) {
      fail('PUSH_TOO_LARGE', {
        what: 'The push',
        found: `more than ${maxChanges} changes of files`,
        limit: maxChanges,
      });
    }
    const refused = differences.flatMap(({ path }) => refusePath(channel, path) ?? []);
    if (refused.length > 0) {
      fail('PUSH_REFUSED', { faults: [...new Set(refused)].slice(0, maxRefusalsShown).join(' ') });
    }
    const changes = await readChanges(trees, differences);
    urlCount += changes.reduce((sum, { after }) => sum + (after?.manifest?.downloads.length ?? 0), 0);
    if (urlCount > maxUrls) {
      fail('PUSH_TOO_LARGE', { what: 'The push', found: `more than ${maxUrls} urls`, limit: maxUrls });
    }
    commits.push({
      oid,
      subject: commit.subject,
      encoding: commit.encoding,
      parentCount: commit.parents.length,
      changes,
      lacks: await findLacks(trees, commit.tree),
    });
    before = commit.tree;
  }
  return { channel, isForward: true, commits };
}

const maxRefusalsShown = 10;

/** Oldest first. */
async function listCommits(
  git: Git,
  quarantine: Environment,
  current: string,
  next: string,
): Promise<string[]> {
  const args = ['rev-list', '--first-parent', `--max-count=${maxCommits + 1}`, next, `^${current}`];
  const oids = (await runGit(git, args, { env: quarantine }))
    .toString()
    .split('\n')
    .filter((oid) => oid !== '');
  if (oids.length > maxCommits) {
    fail('PUSH_TOO_LARGE', { what: 'The push', found: `more than ${maxCommits} commits`, limit: maxCommits });
  }
  return oids.reverse();
}

async function listDifferences(
  trees: TreeReader,
  before: string | undefined,
  after: string,
): Promise<Difference[]> {
  const differences: Difference[] = [];
  for await (const difference of diffTrees(trees, before, after)) {
    differences.push(difference);
    if (differences.length > maxChanges) break;
  }
  return differences;
}

async function readChanges(trees: TreeReader, differences: readonly Difference[]): Promise<Change[]> {
  const changes: Change[] = [];
  for (const { path, before, after, hasCaseCollision } of differences) {
    changes.push({
      path,
      before: before === undefined ? undefined : await trees.file(path, before),
      after: after === undefined ? undefined : await trees.file(path, after),
      hasCaseCollision,
    });
  }
  return changes;
}

async function findLacks(trees: TreeReader, tree: string): Promise<string[]> {
  const root = await trees.folder(tree);
  const lacks: string[] = [];
  for (const name of requiredNames) {
    const entry = root.get(name.replace(/\/$/, ''));
    const isFolder = entry?.mode === folderMode;
    const isThere =
      name.endsWith('/') && entry !== undefined && isFolder
        ? (await trees.folder(entry.oid)).size > 0
        : entry !== undefined && !isFolder && !name.endsWith('/');
    if (!isThere) {
      lacks.push(name);
    }
  }
  return lacks;
}
