import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../formats/thrown.ts';
import { fail } from '../errors.ts';
import { createGit, type Git, runGit } from './git-backend.ts';
import { packObjects } from './pack-objects.ts';
import { channels } from './push.ts';
import { initRepository } from './repository.ts';

export type Refs = Readonly<Record<string, string>>;

const longMs = 60 * 60_000;

/** The bucket's repository for reading, while a server may write to it. Interrupting the verb stops git. */
export function openRepository(
  bucketDir: string,
  {
    env,
    signal,
  }: { readonly env: Readonly<Record<string, string | undefined>>; readonly signal: AbortSignal },
): Git {
  return { ...createGit(join(bucketDir, 'repo.git'), bucketDir, env), signal };
}

/** Branches and tags with their object ids. @throws FeedError BUCKET_BROKEN, GIT_FAILED, GIT_MISSING */
export async function listRefs(
  git: Git,
  patterns: readonly string[] = ['refs/heads', 'refs/tags'],
): Promise<Refs> {
  // git itself would seem to be missing if it was started in a folder that does not exist.
  if (!(await exists(git.dir))) fail('BUCKET_BROKEN', { branch: 'main' });
  const format = '--format=%(objectname) %(refname)';
  const text = (await runGit(git, ['for-each-ref', format, ...patterns])).toString();
  const lines = text.split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]),
  );
}

/**
 * Writes the whole bucket as a git bundle (`git clone FILE` reads it). git's own `bundle create` reads one branch after the
 * other, so that a push which moves both could come in between: here all branches are read at one moment.
 * @throws FeedError BUCKET_BROKEN, GIT_FAILED, GIT_MISSING
 */
export async function writeBundle(git: Git, file: string): Promise<Refs> {
  const refs = await readRefsAtOnce(git);
  for (const branch of channels) {
    if (refs[`refs/heads/${branch}`] === undefined) fail('BUCKET_BROKEN', { branch });
  }
  const oids = [...new Set(Object.values(refs))];
  const head = refs['refs/heads/main'];
  const lines = [
    ...(head === undefined ? [] : [`${head} HEAD`]),
    ...Object.entries(refs).map(([ref, oid]) => `${oid} ${ref}`),
  ];
  await packObjects(git, { revisions: oids, head: `# v2 git bundle\n${lines.join('\n')}\n\n` }, file);
  return refs;
}

/**
 * Reads twice until both agree, with no branch locked in between: git moves the branches of a push one by one, and locks each
 * until it has moved.
 */
async function readRefsAtOnce(git: Git): Promise<Refs> {
  let before = await listRefs(git);
  for (let round = 0; round < 1000; round += 1) {
    const isMoving = await Promise.all(
      channels.map((channel) => exists(join(git.dir, 'refs', 'heads', `${channel}.lock`))),
    );
    const after = await listRefs(git);
    if (!isMoving.includes(true) && JSON.stringify(before) === JSON.stringify(after)) return after;
    before = after;
  }
  return fail('GIT_FAILED', {}, new Error('the branches of the bucket are locked without end'));
}

/**
 * Makes a repository from a bundle and checks every object.
 * @throws FeedError GIT_FAILED when the bundle is damaged or has other refs than `refs`
 */
export async function restoreBundle(bundle: string, git: Git, refs: Refs): Promise<void> {
  await initRepository(git);
  const settings = ['core.fsync=all', 'transfer.fsckObjects=true', 'fetch.unpackLimit=1', 'gc.auto=0'];
  const args = [...settings.flatMap((setting) => ['-c', setting]), 'fetch', '--quiet', '--no-tags', bundle];
  await runGit(git, [...args, 'refs/heads/*:refs/heads/*', 'refs/tags/*:refs/tags/*'], { timeoutMs: longMs });
  const found = await listRefs(git);
  const sorted = (all: Refs): string => JSON.stringify(Object.entries(all).sort());
  if (sorted(found) !== sorted(refs)) {
    fail('GIT_FAILED', {}, new Error('the bundle has other branches and tags than the backup says'));
  }
}

/** The faults that git finds in the repository; undefined when there are none. */
export async function findDamage(git: Git): Promise<string | undefined> {
  try {
    await listRefs(git);
    for (const channel of channels) await runGit(git, ['cat-file', '-e', `refs/heads/${channel}^{tree}`]);
    await runGit(git, ['fsck', '--full', '--no-dangling', '--no-progress'], { timeoutMs: longMs });
    return undefined;
  } catch (error) {
    git.signal?.throwIfAborted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return messageOf(cause);
  }
}

/**
 * The branches that clones of `now` could not fast-forward to `next` (git in `next` must have the newer commits), and the tags
 * that would vanish or move.
 */
export async function findStepsBack(now: Refs, next: Refs, nextGit: Git): Promise<string[]> {
  const back: string[] = [];
  for (const [ref, oid] of Object.entries(now)) {
    const target = next[ref];
    if (target === oid) continue;
    if (target === undefined || ref.startsWith('refs/tags/')) back.push(ref);
    else if (!(await isAncestor(nextGit, oid, target))) back.push(ref);
  }
  return back;
}

/** A missing commit is not an ancestor. */
async function isAncestor(git: Git, oid: string, of: string): Promise<boolean> {
  try {
    await runGit(git, ['merge-base', '--is-ancestor', oid, of]);
    return true;
  } catch {
    git.signal?.throwIfAborted();
    return false;
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
