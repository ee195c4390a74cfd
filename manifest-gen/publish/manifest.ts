import { fail, ReleaseError } from '../../errors/release-error.ts';
import { compareScoopVersions } from '../../formats/scoop-version.ts';
import { messageOf } from '../../formats/thrown.ts';
import {
  type BucketRepository,
  type Channel,
  explainGit,
  inOneLine,
  type NewCommit,
} from '../published/bucket/repository.ts';

/** One release on its way into the bucket. */
export type BucketChange = Omit<NewCommit, 'branches' | 'taggedOn'> & {
  /** Where it goes. The first carries the tag and must take it; another that offers a newer version already is left alone. */
  readonly branches: readonly [Channel, ...Channel[]];
  /** The first branch may offer a newer version already, and keeps it. */
  readonly keepsNewer?: boolean | undefined;
};

const attempts = 8;

/**
 * Commits the manifest and pushes branches and tag in one atomic push. Someone else's push in between is not an error: the commit
 * is made again on top of it. Branches only move forward (spec scoop 1.5).
 * @returns `same` when every branch offers this version (or a newer one, where that is allowed)
 * @throws ReleaseError BUCKET_REFUSED, BUCKET_UNREACHABLE
 */
export function publishManifest(
  repository: BucketRepository,
  change: BucketChange,
): Promise<'pushed' | 'same'> {
  return pushOnTop(repository, async () => {
    const branches = await branchesToRaise(repository, change);
    return branches.length === 0
      ? []
      : repository.commit({ ...change, branches, taggedOn: change.branches[0] });
  });
}

/**
 * Pushes what `commit` makes of the branches as they are now, once more when somebody else was faster.
 * @param commit gives what to push; nothing when there is nothing to do
 * @throws ReleaseError BUCKET_REFUSED, BUCKET_UNREACHABLE
 */
export async function pushOnTop(
  repository: BucketRepository,
  commit: () => Promise<readonly string[]>,
): Promise<'pushed' | 'same'> {
  for (let attempt = 1; ; attempt++) {
    const seen = await repository.fetch();
    const refs = await commit();
    if (refs.length === 0) return 'same';
    try {
      await repository.push(refs);
      return 'pushed';
    } catch (error) {
      if (error instanceof ReleaseError) throw error;
      const now = await repository.fetch();
      if (now === seen || attempt === attempts) explainPush(repository, error);
    }
  }
}

async function branchesToRaise(repository: BucketRepository, change: BucketChange): Promise<Channel[]> {
  const [first] = change.branches;
  const raised: Channel[] = [];
  for (const branch of change.branches) {
    const offered = await repository.version(branch, change.tool);
    const order = offered === undefined ? 1 : compareScoopVersions(change.version, offered);
    if (order > 0) raised.push(branch);
    if (order < 0 && branch === first && !change.keepsNewer) {
      fail('BUCKET_REFUSED', {
        cause: `branch ${branch} offers ${change.tool} ${offered}, which is newer than ${change.version}`,
      });
    }
  }
  return raised;
}

const isCutOff = /unable to access|could not read from remote repository|hung up unexpectedly|early EOF/i;

function explainPush({ url }: BucketRepository, error: unknown): never {
  const text = messageOf(error);
  // the server's reasons come as `remote: ...` lines, the rest is git's summary (`! [remote rejected]`)
  const remote = text.split('\n').filter((line) => line.startsWith('remote:'));
  if (remote.length === 0 && isCutOff.test(text)) explainGit(url, error, 'push');
  const lines = remote.length > 0 ? remote.map((line) => line.slice('remote:'.length)) : text.split('\n');
  fail('BUCKET_REFUSED', { cause: inOneLine(lines, 5) }, error);
}
