import { mkdir } from 'node:fs/promises';
import { FeedError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { readMark, writeMark } from './cache-mark.ts';
import { createCheckpoints } from './checkpoint.ts';
import { removeMovedAway, removeRepository, setAside } from './copy-folder.ts';
import type { RefMove } from './events.ts';
import { type Environment, type Git, runGit } from './git-backend.ts';
import { findDamage } from './git-bundle.ts';
import { pack } from './pack.ts';
import { readRef } from './refs.ts';
import { createSemaphore } from './semaphore.ts';
import { beginning, type Mark, type Publication, type SharedHistory, type Steps } from './shared-history.ts';
import { findFault, moveRefs } from './shared-refs.ts';
import { type PackStore, removePassing, takeStoredPack, withStoredPack } from './stored-packs.ts';

/** What several servers share. */
export type SharedBucket = {
  readonly history: SharedHistory;
  readonly blobs: PackStore;
  /** After how many pushes all objects are stored as one pack. */
  readonly checkpointEvery?: number;
};

/** Refs that are published, and now to be moved here: nobody else moves any until they are settled. */
export type Moving = {
  /**
   * Call it when git has ended, however it ended: what it has not moved is moved now. Resolves with whether git had moved all.
   * Calling it twice does nothing.
   */
  settle(): Promise<boolean>;
};

/** This server's copy of the bucket that several servers share. It can be made again at any time. */
export interface SharedRepository {
  /** Brings it to the newest generation; costs one look into memory where nothing is new. @throws FeedError BUCKET_BEHIND */
  catchUp(): Promise<Mark>;
  /**
   * Publishes moves that were decided at the generation `seen`; `env` says where their new objects are. Undefined when another
   * server has moved refs since then. Storing the objects may take long: `confirm` comes right before the others see the moves, and
   * prevents that when it throws.
   */
  publish(
    seen: Mark,
    publication: Omit<Publication, 'pack'>,
    env?: Environment,
    confirm?: () => Promise<void>,
  ): Promise<Moving | undefined>;
  /** Looks for damage, and makes the copy anew where there is any. */
  repair(): Promise<void>;
  /** Does some work with a copy that is whole and at the newest generation, and does not change meanwhile. */
  whenSound<Answer>(work: () => Promise<Answer>): Promise<Answer>;
  /** The same in the background, and not too often; call it when git could not answer. */
  suspect(): void;
  close(): Promise<void>;
}

export type CopyDeps = SharedBucket & {
  /** The bucket's folder, `repo.git` in it. */
  readonly dir: string;
  readonly git: Git;
  /** Makes what is missing of an empty or a good repository. */
  readonly ensure: () => Promise<void>;
  readonly log: Logger;
};

/** After a failure, requests do not try again for so long. */
const pauseMs = 1_000;
/** Clients can make git fail, and looking for damage takes a while. */
const checkPauseMs = 60_000;
const gcMs = 10 * 60_000;
const never = new AbortController().signal;
/** Of no history: what the copy has while it is made anew. */
const nowhere: Mark = { generation: -1, id: '' };

/** Opens the copy; one that is damaged, or of another history, is made anew. @throws FeedError GIT_MISSING, GIT_FAILED */
export async function openSharedRepository(deps: CopyDeps): Promise<SharedRepository> {
  const { dir, git, history, ensure, log, checkpointEvery = 100 } = deps;
  const moving = createSemaphore(1, 1_000);
  const storeCheckpoint = createCheckpoints(deps, checkpointEvery);
  const background = new Set<Promise<unknown>>();
  let at = nowhere;
  let applying: Promise<void> | undefined;
  let failed: { readonly at: number; readonly error: unknown } | undefined;
  let repairing: Promise<void> | undefined;
  let suspectedAt = Number.NEGATIVE_INFINITY;

  function inBackground(what: string, work: () => Promise<void>): void {
    const running = work()
      .catch((err) => log.error({ err }, what))
      .finally(() => background.delete(running));
    background.add(running);
  }

  async function isBehind(): Promise<boolean> {
    const newest = await history.newest();
    return newest.generation !== at.generation || newest.id !== at.id;
  }

  async function reach(mark: Mark): Promise<void> {
    await writeMark(git.dir, mark);
    at = mark;
  }

  /** While nobody else moves refs. */
  async function apply(): Promise<void> {
    const steps = await history.since(at);
    if (steps === undefined) return makeAnew('it is of another history');
    await take(steps).catch(async (error: unknown) => {
      if (!isGitFailure(error)) throw error;
      await makeAnew(error.cause);
    });
  }

  async function take({ newest, packs, instead, refs }: Steps): Promise<void> {
    await takePacks(packs).catch(async (err: unknown) => {
      if (instead === undefined) throw err;
      log.warn({ err }, 'the checkpoint of the bucket cannot be used, its pushes are taken one by one');
      await takePacks(instead);
    });
    await moveRefs(git, refs);
    await reach(newest);
  }

  async function takePacks(packs: Steps['packs']): Promise<void> {
    for (const stored of packs) await takeStoredPack(git, deps, stored);
  }

  async function makeAnew(reason: unknown): Promise<void> {
    log.warn({ reason }, 'the copy of the bucket is made anew');
    await requireGit();
    at = nowhere;
    await removeRepository(dir, git.dir);
    await begin();
    const steps = await history.since(beginning);
    if (steps !== undefined) await take(steps);
  }

  /** Before anything is removed: a copy is not damaged because git is not in PATH. */
  async function requireGit(): Promise<void> {
    await runGit({ ...git, dir }, ['--version']);
  }

  async function begin(): Promise<void> {
    await mkdir(git.dir, { recursive: true });
    await writeMark(git.dir, beginning);
    await ensure();
    at = beginning;
  }

  async function locked<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const leave = await moving.acquire(never);
    return work().finally(leave);
  }

  async function catchUp(): Promise<Mark> {
    while (await isBehind()) {
      if (failed !== undefined && performance.now() - failed.at < pauseMs) throw failed.error;
      applying ??= locked(async () => {
        if (await isBehind()) await apply();
      }).finally(() => {
        applying = undefined;
      });
      await applying.catch((cause: unknown) => {
        const error = new FeedError('BUCKET_BEHIND', {}, cause);
        failed = { at: performance.now(), error };
        throw error;
      });
      inBackground('the bucket could not be packed', () => pack(git, log, gcMs));
    }
    return at;
  }

  async function publish(
    seen: Mark,
    publication: Omit<Publication, 'pack'>,
    env: Environment = {},
    confirm: () => Promise<void> = async () => undefined,
  ): Promise<Moving | undefined> {
    const { moves } = publication;
    const known = await Promise.all(['main', 'beta'].map((name) => readRef(git.dir, `refs/heads/${name}`)));
    const revisions = [...moves.map(({ to }) => to), ...known.flatMap((oid) => (oid ? [`^${oid}`] : []))];
    return withStoredPack(git, deps, { revisions, env, isThin: true }, async (stored) => {
      const leave = await moving.acquire(never);
      const next = await confirm()
        .then(() => history.publish(seen, { ...publication, pack: stored }))
        .catch((error: unknown) => {
          leave();
          throw error;
        });
      if (next !== undefined) return toSettle(seen, next, moves, leave);
      leave();
      return undefined;
    });
  }

  function toSettle(seen: Mark, next: Mark, moves: readonly RefMove[], leave: () => void): Moving {
    async function finish(): Promise<boolean> {
      const tips = await Promise.all(moves.map(({ ref }) => readRef(git.dir, ref)));
      const hasMoved = moves.every(({ to }, index) => to === tips[index]);
      if (hasMoved && at.generation === seen.generation && at.id === seen.id) await reach(next);
      else await apply();
      return hasMoved;
    }
    let settled: Promise<boolean> | undefined;
    return {
      settle() {
        settled ??= finish().finally(() => {
          leave();
          inBackground('the objects of the bucket could not be stored as one pack', () =>
            storeCheckpoint(at.generation),
          );
        });
        return settled;
      },
    };
  }

  function repair(): Promise<void> {
    repairing ??= repairNow().finally(() => {
      repairing = undefined;
    });
    return repairing;
  }

  async function repairNow(): Promise<void> {
    if ((await findDamage(git)) === undefined) return;
    // Once more while nothing changes: only a lasting fault is one.
    await whenSound(async () => undefined);
  }

  function whenSound<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    return locked(async () => {
      if (await isBehind()) await apply();
      const fault = await findFault(git, history, at);
      if (fault !== undefined) await makeAnew(fault);
      return work();
    });
  }

  async function open(): Promise<void> {
    await mkdir(dir, { recursive: true });
    await requireGit();
    await removePassing(dir);
    await removeMovedAway(dir);
    const found = await readMark(git.dir);
    if (found === undefined) {
      await setAside(git.dir, log);
      // Filled by whoever uses it first: an operator's verb may need none of it.
      await begin();
      return;
    }
    at = found;
    await ensure().catch(async (error: unknown) => {
      if (!isGitFailure(error)) throw error;
      await makeAnew(error.cause);
    });
    await catchUp();
    const fault = await findFault(git, history, at);
    if (fault !== undefined) await makeAnew(fault);
  }

  await open().catch((err) => {
    if (err instanceof FeedError && err.code === 'GIT_MISSING') throw err;
    log.error({ err }, 'the bucket could not be brought up to date yet');
  });

  return {
    catchUp,
    publish,
    repair,
    whenSound,
    suspect() {
      if (performance.now() - suspectedAt < checkPauseMs) return;
      suspectedAt = performance.now();
      inBackground('the copy of the bucket could not be checked', repair);
    },
    async close() {
      await Promise.allSettled([...background, applying, repairing]);
    },
  };
}

/** git also seems to be missing where its folder is (git-bundle.ts, listRefs). */
function isGitFailure(error: unknown): error is FeedError {
  return error instanceof FeedError && /^GIT_(FAILED|MISSING)$/.test(error.code);
}
