import { fail } from '../errors.ts';
import { type Environment, type Git, runGit } from './git-backend.ts';
import type { Advance, Change, Channel, PushedCommit } from './push.ts';
import type { Files, TreeReader } from './trees.ts';

/** Real pushes have a handful of commits; a bundle for a closed site brings every release of some years. */
const maxCommits = 2_000;

/** What a branch gains between `current` and `next`, commit by commit along the first parents. */
export async function readAdvance(
  git: Git,
  quarantine: Environment,
  trees: TreeReader,
  branch: { readonly channel: Channel; readonly current: string; readonly next: string },
): Promise<Advance> {
  const { channel, current, next } = branch;
  const oids = await listCommits(git, quarantine, current, next);
  const first = oids[0] === undefined ? undefined : await trees.commit(oids[0]);
  if (first === undefined || first.parents[0] !== current) {
    return { channel, isForward: next === current, commits: [] };
  }
  const commits: PushedCommit[] = [];
  let before = await trees.files((await trees.commit(current))?.tree ?? '');
  for (const oid of oids) {
    const commit = await trees.commit(oid);
    if (commit === undefined) {
      return fail('GIT_FAILED', {}, new Error(`the pushed commit ${oid} cannot be read`));
    }
    const after = await trees.files(commit.tree);
    commits.push({
      oid,
      subject: commit.subject,
      parentCount: commit.parents.length,
      changes: await listChanges(trees, before, after),
      paths: [...after.keys()],
    });
    before = after;
  }
  return { channel, isForward: true, commits };
}

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

async function listChanges(trees: TreeReader, before: Files, after: Files): Promise<Change[]> {
  const paths = new Set([...before.keys(), ...after.keys()]);
  const changes: Change[] = [];
  for (const path of paths) {
    const [old, now] = [before.get(path), after.get(path)];
    if (old?.oid === now?.oid && old?.mode === now?.mode) {
      continue;
    }
    changes.push({
      path,
      before: old === undefined ? undefined : await trees.file(path, old),
      after: now === undefined ? undefined : await trees.file(path, now),
    });
  }
  return changes;
}
