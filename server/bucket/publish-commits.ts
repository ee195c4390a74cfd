import { fastImport } from '../../formats/fast-import.ts';
import { compareScoopVersions } from '../../formats/scoop-version.ts';
import { isReleaseName } from '../../formats/tool-name.ts';
import { fail } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { BucketEvents, RefMove } from './events.ts';
import { type Git, runGit } from './git-backend.ts';
import type { ManifestReader } from './manifest-reader.ts';
import type { PendingCommit, PendingCommits } from './pending-commits.ts';
import type { Channel } from './push.ts';
import { readRef } from './refs.ts';
import { seed } from './seed.ts';
import type { SharedRepository } from './shared-repository.ts';

export type PublishDeps = {
  readonly log: Pick<Logger, 'error'>;
  readonly git: Git;
  readonly events: Pick<BucketEvents, 'record' | 'lastMove'>;
  /** Without them there is nothing to do. */
  readonly pendingCommits?: PendingCommits;
  readonly reader: Pick<ManifestReader, 'readTip'>;
  /** Does some work while no other ref moves. */
  readonly between: <Answer>(work: () => Promise<Answer>) => Promise<Answer>;
  /** Where other servers have to agree first. */
  readonly shared?: Pick<SharedRepository, 'catchUp' | 'publish'> | undefined;
};

/** Each time, another server has published something. */
const maxAttempts = 10;

/**
 * Commits what branches are still to get, as a promotion does: the manifest on each branch that offers less, the tag on the
 * first, all of them at once. What a killed process left half done is finished by the same call. While nothing is pending it
 * costs one look into the database.
 */
export function createFinishCommits(deps: PublishDeps): () => Promise<void> {
  const { pendingCommits: pending, between, log } = deps;
  const impossible = new Set<number>();

  /** The next one that git can commit at all. */
  async function next(after: number): Promise<PendingCommit | undefined> {
    const commit = await pending?.first(after);
    if (commit === undefined || isReleaseName(commit)) return commit;
    const { number, tool, version } = commit;
    if (!impossible.has(number)) log.error({ tool, version }, 'git has no place for this release');
    impossible.add(number);
    return next(number);
  }

  /** One that fails is left for the next time, and does not stop those after it. */
  async function finish(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    for (let commit = await next(0); commit !== undefined; commit = await next(commit.number)) {
      const { number, tool, version, branches } = commit;
      try {
        await publish(deps, commit);
        await pending?.remove(number);
      } catch (error) {
        log.error({ err: error, tool, version }, 'a release is not on its branches yet');
        // Clients were offered it, and main does not have it yet: without it they would go back (contract section 8).
        if (branches.includes('main')) failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }

  return async () => {
    if ((await next(0)) !== undefined) await between(finish);
  };
}

async function publish(deps: PublishDeps, commit: PendingCommit): Promise<void> {
  const { git, events, shared } = deps;
  const { tool, version, by, reason } = commit;
  if (shared !== undefined) return publishShared(deps, shared, commit);
  const { behind, there, before } = await compareBranches(deps, commit);
  const planned = await writeCommits(git, commit, before, behind);
  await planned?.move();
  const moves = [...(planned?.moves ?? [])];
  // Those that moved before the process was killed, and have no entry yet.
  for (const ref of [...there, `refs/tags/${tool}/v${version}`]) {
    const [now, known] = [await readRef(git.dir, ref), await events.lastMove(ref)];
    const isNew = moves.some((move) => move.ref === ref);
    if (now !== undefined && now !== known && !isNew) moves.push({ ref, from: known, to: now });
  }
  if (moves.length > 0) await events.record(moves, by, reason);
}

/** Once, however many servers try: whoever is overtaken finds the branches ahead, or makes its commits on the new ones. */
async function publishShared(
  deps: PublishDeps,
  shared: Pick<SharedRepository, 'catchUp' | 'publish'>,
  commit: PendingCommit,
): Promise<void> {
  const { by, reason } = commit;
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const seen = await shared.catchUp();
    const { behind, before } = await compareBranches(deps, commit);
    const planned = await writeCommits(deps.git, commit, before, behind);
    if (planned === undefined) return;
    const published = await shared.publish(seen, { moves: planned.moves, by, reason });
    if (published !== undefined) {
      await planned.move().finally(published.settle);
      return;
    }
  }
  fail('BUCKET_MOVED');
}

type Compared = {
  readonly before: ReadonlyMap<Channel, string>;
  /** Those that are to get the commit. */
  readonly behind: readonly Channel[];
  /** The refs of those that have it. */
  readonly there: readonly string[];
};

async function compareBranches(
  { reader }: Pick<PublishDeps, 'reader'>,
  { tool, version, branches }: PendingCommit,
): Promise<Compared> {
  const before = new Map<Channel, string>();
  const behind: Channel[] = [];
  const there: string[] = [];
  for (const branch of branches) {
    const tip = await reader.readTip(branch);
    if (tip === undefined) continue;
    before.set(branch, tip.commit);
    const offered = tip.manifests.get(tool)?.version;
    if (offered === undefined || compareScoopVersions(version, offered) > 0) behind.push(branch);
    else if (offered === version) there.push(`refs/heads/${branch}`);
  }
  return { before, behind, there };
}

type Planned = { readonly moves: readonly RefMove[]; move(): Promise<void> };

/** Commits that no branch has yet, and the moves to them; undefined where no branch is behind. */
async function writeCommits(
  git: Git,
  commit: PendingCommit,
  before: ReadonlyMap<Channel, string>,
  behind: readonly Channel[],
): Promise<Planned | undefined> {
  const { tool, version, text, message, branches, at } = commit;
  if (behind.length === 0) return undefined;
  const date = `${Math.floor(at.getTime() / 1000)} +0000`;
  const commits = behind.map((branch) => ({
    ref: `refs/go-win-tools/${branch}`,
    parent: before.get(branch),
    author: seed.identity,
    date,
    message: `${message}\n`,
    files: new Map([
      [`bucket/${tool}.json`, text],
      ['bucket/.gitkeep', undefined],
    ]),
  }));
  const written = await runGit(git, ['fast-import', '--quiet', '--done', '--force'], {
    input: fastImport(commits),
  });
  const ids = written.toString().trim().split('\n');
  const moves = behind.map((branch, at): RefMove => {
    return { ref: `refs/heads/${branch}`, from: before.get(branch), to: ids[at] ?? '' };
  });
  const tag = `refs/tags/${tool}/v${version}`;
  const [tagged] = moves;
  if (tagged !== undefined && behind[0] === branches[0] && (await readRef(git.dir, tag)) === undefined) {
    moves.push({ ref: tag, from: undefined, to: tagged.to });
  }
  const input = [
    ...moves.map(({ ref, from, to }) =>
      from === undefined ? `create ${ref} ${to}\n` : `update ${ref} ${to} ${from}\n`,
    ),
    ...commits.map(({ ref }) => `delete ${ref}\n`),
  ].join('');
  return {
    moves,
    async move() {
      await runGit(git, ['update-ref', '--stdin'], { input, env: committer(date) });
    },
  };
}

/** Of the reflog, instead of this machine's account. */
function committer(date: string): Readonly<Record<string, string>> {
  return {
    GIT_COMMITTER_NAME: seed.identity.name,
    GIT_COMMITTER_EMAIL: seed.identity.email,
    GIT_COMMITTER_DATE: date,
  };
}
