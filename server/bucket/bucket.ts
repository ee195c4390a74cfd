import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Request, Response } from 'express';
import type { Payloads } from '../catalog/payloads.ts';
import { FeedError, fail } from '../errors.ts';
import type { Approvals } from '../feed/approvals.ts';
import type { Principal } from '../keys/api-keys.ts';
import type { Logger } from '../log.ts';
import type { GitAddress } from './address.ts';
import type { Asking, ClientServices } from './client-heads.ts';
import { openClientViews } from './client-views.ts';
import type { BucketEvents } from './events.ts';
import { createGit, type Git } from './git-backend.ts';
import { openHookServer } from './hook-server.ts';
import { createManifestReader, type ManifestReader } from './manifest-reader.ts';
import { findMissing } from './objects.ts';
import type { PendingCommits } from './pending-commits.ts';
import { createFinishCommits } from './publish-commits.ts';
import { type Channel, channels } from './push.ts';
import type { HeldOfTool } from './read-push.ts';
import { createReceive, type PushOutcome } from './receive-push.ts';
import { recordMissedRefUpdates } from './record-ref-updates.ts';
import { readRef } from './refs.ts';
import { asServed, ensureRepository } from './repository.ts';
import { createServeClients, inTime } from './serve-clients.ts';
import type { Mark } from './shared-history.ts';
import { openSharedRepository, type SharedBucket } from './shared-repository.ts';
import { createWaitingForMain } from './waiting-for-main.ts';

export type BucketDeps = {
  /** `DATA_DIR/bucket` */
  readonly dir: string;
  /** The process' environment; git gets only PATH and the like from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly payloads: Pick<Payloads, 'find'>;
  /** Without it nothing is held. */
  readonly held?: HeldOfTool;
  readonly events: BucketEvents;
  readonly publicUrl: () => string;
  /** The setting RESERVED_IDS. */
  readonly reservedIds: readonly string[];
  /** The setting APPROVALS. */
  readonly approvals: Approvals;
  /** Releases that the server publishes by itself. */
  readonly pendingCommits?: PendingCommits;
  /** What clients see at their own addresses; without it there are none. */
  readonly clients?: ClientServices;
  /** Where several servers have one bucket; without it the files here are the bucket. */
  readonly shared?: SharedBucket;
  readonly log: Logger;
};

/** The Scoop bucket: one git repository under two addresses and those of clients, with rules for every push. */
export interface Bucket extends ManifestReader {
  /**
   * Answers a git client. A push needs a `pusher`. Resolves with the outcome of a push that reached the rules; a push that git
   * itself refuses, such as a broken pack, never does.
   * @throws FeedError BUCKET_UNKNOWN, BUCKET_BROKEN, PUSH_GATE_SHUT, GIT_BUSY, PUSHES_AT_ONCE, PUSH_INVALID, PUSH_TOO_LARGE,
   *   GIT_FAILED, CLIENT_VIEW_BROKEN, BUCKET_BEHIND
   */
  serve(
    address: GitAddress,
    req: Request,
    res: Response,
    pusher: Principal | undefined,
  ): Promise<PushOutcome | undefined>;
  /** The manifest that a client (an id in lower case) is offered, after it was admitted. */
  readClientManifest(
    client: string,
    tool: string,
    from: string | undefined,
    asking: Asking,
  ): Promise<{ readonly text: string } | undefined>;
  /** Publishes what the server itself decided, where that is still to be done. @throws FeedError GIT_BUSY, GIT_FAILED */
  finishCommits(): Promise<void>;
  /**
   * Does some work while no push is checked here and no branch moves. Other servers may move branches meanwhile: `seen` is where these
   * were before.
   * @throws FeedError GIT_BUSY when pushes take too long, SHUTTING_DOWN, BUCKET_BEHIND
   */
  between<Answer>(work: (seen?: Mark) => Promise<Answer>): Promise<Answer>;
  /** @throws FeedError BUCKET_BROKEN, BUCKET_BEHIND, GIT_FAILED, GIT_MISSING */
  ping(): Promise<void>;
  /** Stops what may be stopped and waits for the rest. */
  close(): Promise<void>;
}

/** Limits for each git process: enough for a pack of 32 MiB and for a clone of a large bucket. */
const caps = {
  read: { memoryBytes: 1024 ** 3, cpuSeconds: 120 },
  write: { memoryBytes: 256 * 1024 ** 2, cpuSeconds: 60 },
};

/** Opens the bucket, and creates it if missing. @throws FeedError GIT_MISSING, GIT_FAILED */
export async function ensureBucket(deps: BucketDeps): Promise<Bucket> {
  await mkdir(deps.dir, { recursive: true });
  const own = createGit(join(deps.dir, 'repo.git'), deps.dir, deps.env);
  const git = asServed(own);
  const ensure = () => ensureRepository(deps.dir, own);
  const shared = deps.shared && (await openSharedRepository({ ...deps, ...deps.shared, git, ensure }));
  if (shared === undefined) await ensure();
  const reader = createManifestReader(git, shared?.catchUp);
  const stopping = new AbortController();
  // One listener for each running request is not a leak.
  setMaxListeners(0, stopping.signal);
  const between = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    const leave = await inTime([stopping.signal], deps.events.lock);
    try {
      return await work();
    } finally {
      leave();
    }
  };
  const finishCommits = createFinishCommits({ ...deps, git, reader, between, shared });
  await finishCommits().catch((err) =>
    deps.log.error({ err }, 'what was decided is not on its branches yet'),
  );
  if (shared === undefined) await recordMissedRefUpdates({ ...deps, git });
  const hookServer = await openHookServer();
  const running = new Set<Promise<unknown>>();
  const proven = new Set<string>();
  const served = { ...git, dir: deps.dir, cap: caps.read };
  const receive = createReceive({
    held: async () => [],
    ...deps,
    git: { ...git, cap: caps.write },
    served: { ...served, cap: caps.write },
    hookServer,
    proven,
    shared,
    stopping: stopping.signal,
  });
  const { push, fetch } = createServeClients({
    receive,
    stopping: stopping.signal,
    log: deps.log,
    onGitFailure: () => shared?.suspect(),
  });
  const waitingForMain = createWaitingForMain({ ...deps, finishCommits });
  const views = await openClientViews({ ...deps, git, served, reader, waitingForMain, shared });

  /** What comes before each use of the repository. */
  async function requireCurrent(wanted: readonly Channel[], known: Set<string>): Promise<void> {
    await shared?.catchUp();
    await requireHeads(git, wanted, known).catch(async (error: unknown) => {
      if (shared === undefined) throw error;
      await shared.repair();
      await requireHeads(git, wanted, known);
    });
  }

  return {
    ...reader,
    async serve(address, req, res, pusher) {
      await requireCurrent([address.channel], proven);
      const { channel, client } = address;
      const plain = async () => ({ git: served, repository: `${channel}.git` });
      const work =
        // HEAD has no body to show what a client sees, and must not admit it.
        client !== undefined && req.method !== 'HEAD'
          ? (views ?? fail('BUCKET_UNKNOWN')).serve(client, req.ip, address, (choose) =>
              fetch(address, req, res, choose),
            )
          : address.access === 'read' || address.isAdvertisement
            ? fetch(address, req, res, plain).then(() => undefined)
            : push(address, req, res, pusher ?? fail('KEY_MISSING'));
      running.add(work);
      return await work.finally(() => running.delete(work));
    },
    readClientManifest: async (client, tool, from, asking) =>
      (
        views ?? fail('MANIFEST_NOT_FOUND', { tool, version: '(this server keeps none for single clients)' })
      ).manifestOf(client, tool, from, asking),
    finishCommits,
    between: (work) => between(async () => work(await shared?.catchUp())),
    async ping() {
      await requireCurrent(channels, new Set());
    },
    async close() {
      stopping.abort(new FeedError('SHUTTING_DOWN'));
      await Promise.allSettled(running);
      await shared?.close();
      await hookServer.close();
    },
  };
}

/**
 * A clone of a HEAD that points nowhere is an empty bucket, which Scoop accepts and can never update (spec scoop 1.1). `proven`
 * holds commits that were found once: nothing is ever pruned. git is asked once for all others.
 */
async function requireHeads(git: Git, wanted: readonly Channel[], proven: Set<string>): Promise<void> {
  const unproven = new Map<string, Channel>();
  for (const branch of wanted) {
    const tip = (await readRef(git.dir, `refs/heads/${branch}`)) ?? fail('BUCKET_BROKEN', { branch });
    if (!proven.has(tip) && !unproven.has(tip)) unproven.set(tip, branch);
  }
  const [branch] = unproven.values();
  if (branch === undefined) return;
  const trees = [...unproven.keys()].map((tip) => `${tip}^{tree}`);
  const missing = await findMissing(git, trees).catch((cause) => fail('BUCKET_BROKEN', { branch }, cause));
  for (const [tip, branch] of unproven) {
    if (missing.has(`${tip}^{tree}`)) fail('BUCKET_BROKEN', { branch });
    proven.add(tip);
  }
}
