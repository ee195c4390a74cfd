import { join } from 'node:path';
import { fail } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createGit, type Git } from './git-backend.ts';
import { listRefs } from './git-bundle.ts';
import { channels } from './push.ts';
import { asServed, ensureRepository } from './repository.ts';
import type { Mark, SharedHistory } from './shared-history.ts';
import { openSharedRepository, type SharedBucket } from './shared-repository.ts';
import { type PackStore, withStoredPack } from './stored-packs.ts';

/**
 * Publishes the branches and tags of a repository as the whole history of a bucket that several servers share; what it had before
 * is forgotten. `dir` is a folder for what passes through. For restored backups, before any server serves them.
 * @throws FeedError BUCKET_BROKEN, GIT_FAILED, GIT_MISSING
 */
export async function beginSharedBucket(
  git: Git,
  {
    history,
    blobs,
    dir,
  }: { readonly history: SharedHistory; readonly blobs: PackStore; readonly dir: string },
): Promise<Mark> {
  const refs = await listRefs(git);
  for (const branch of channels) {
    if (refs[`refs/heads/${branch}`] === undefined) fail('BUCKET_BROKEN', { branch });
  }
  return withStoredPack(git, { dir, blobs }, { revisions: Object.values(refs) }, async (pack) =>
    history.begin(refs, pack ?? fail('BUCKET_BROKEN', { branch: 'main' })),
  );
}

/**
 * Makes a copy of the shared bucket in a folder that nobody else uses, for verbs that read it.
 * @throws FeedError BUCKET_BEHIND, GIT_FAILED, GIT_MISSING
 */
export async function copySharedBucket({
  dir,
  env,
  log,
  ...shared
}: SharedBucket & {
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
}): Promise<Git> {
  const own = createGit(join(dir, 'repo.git'), dir, env);
  const git = asServed(own);
  const ensure = () => ensureRepository(dir, own);
  const copy = await openSharedRepository({ ...shared, dir, git, ensure, log });
  await copy.catchUp().finally(copy.close);
  return git;
}
