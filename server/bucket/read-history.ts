import { fail } from '../errors.ts';
import type { Principal } from '../keys/api-keys.ts';
import { type Git, runGit } from './git-backend.ts';
import { openObjects } from './objects.ts';
import { type Advance, type Channel, channels, type Push, parseTagRef, type RefUpdate } from './push.ts';
import { readAdvance } from './read-advance.ts';
import { readTags } from './read-push.ts';
import { createTreeReader } from './trees.ts';
import { createWorkBudget } from './work-budget.ts';

/** Another git host decides for itself who may push, so everything is allowed here. */
const anybody: Principal = { keyId: '', name: 'the history', scopes: ['push', 'admin'], ids: [] };

/** It is the user's own clone, so it may take long. */
const [maxEntries, maxMs] = [1e9, 60 * 60_000];
const mayTouchAll = (): undefined => undefined;

/**
 * The whole history of a bucket, or everything since `since`, as if it were one push. For a bucket at another host, whose
 * payloads are unknown here: the generator checks that they exist before it pushes.
 * @throws FeedError BUCKET_UNREADABLE, PUSH_TOO_LARGE, GIT_FAILED
 */
export async function readHistory(git: Git, since: string | undefined): Promise<Push> {
  const tips = { main: await tipOf(git, 'main'), beta: await tipOf(git, 'beta') };
  const start = since === undefined ? await rootOf(git, tips.main) : await commitOf(git, since);
  const objects = openObjects(git);
  const trees = createTreeReader(objects, createWorkBudget(maxEntries, maxMs));
  try {
    const advances: Advance[] = [];
    for (const channel of channels) {
      advances.push(
        await readAdvance(git, {}, trees, { channel, current: start, next: tips[channel] }, mayTouchAll),
      );
    }
    const moved = channels.map((channel): RefUpdate => {
      return { ref: `refs/heads/${channel}`, claimed: start, current: start, next: tips[channel] };
    });
    const updates = [...moved, ...(await tagsOf(git))];
    return {
      pusher: anybody,
      reservedIds: [],
      approvals: [],
      updates,
      isAtomic: true,
      isShallow: false,
      advances,
      offers: { main: await trees.manifests(tips.main), beta: await trees.manifests(tips.beta) },
      tags: await readTags({ git, quarantine: {} }, objects, trees, updates, tips),
      // No address begins with this, so no payload counts as ours and missing, while every manifest's hashes are checked.
      payloads: { base: '\0', sha256: new Map() },
      held: new Set(),
    };
  } finally {
    objects.close();
  }
}

/** A local branch, or in a CI's clone the remote one. */
async function tipOf(git: Git, channel: Channel): Promise<string> {
  for (const ref of [`refs/heads/${channel}`, `refs/remotes/origin/${channel}`]) {
    const oid = await resolveRef(git, ref);
    if (oid !== undefined) return oid;
  }
  return fail('BUCKET_UNREADABLE', { dir: git.dir, problem: `it has no branch ${channel}` });
}

async function commitOf(git: Git, name: string): Promise<string> {
  const problem = `it has no commit ${name} (a shallow clone has the last one only: fetch all of it)`;
  return (await resolveRef(git, `${name}^{commit}`)) ?? fail('BUCKET_UNREADABLE', { dir: git.dir, problem });
}

async function rootOf(git: Git, tip: string): Promise<string> {
  const isShallow = await lines(git, ['rev-parse', '--is-shallow-repository']);
  if (isShallow[0] === 'true') {
    fail('BUCKET_UNREADABLE', { dir: git.dir, problem: 'it is a shallow clone' });
  }
  return (await lines(git, ['rev-list', '--max-parents=0', tip])).at(-1) ?? tip;
}

/** Tags of other forms do not belong to the bucket: the host may have its own. */
async function tagsOf(git: Git): Promise<RefUpdate[]> {
  const found = await lines(git, ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/tags/']);
  return found.flatMap((line) => {
    const [next, ref = ''] = line.split(' ');
    return parseTagRef(ref) === undefined ? [] : [{ ref, claimed: undefined, current: undefined, next }];
  });
}

async function resolveRef(git: Git, name: string): Promise<string | undefined> {
  // `--verify --quiet` is not enough: a name that begins with a dash would be an option.
  const found = await runGit(git, ['rev-parse', '--verify', '--quiet', '--end-of-options', name]).catch(
    () => undefined,
  );
  return found?.toString().trim() || undefined;
}

async function lines(git: Git, args: readonly string[]): Promise<string[]> {
  return (await runGit(git, args)).toString().split('\n').filter(Boolean);
}
