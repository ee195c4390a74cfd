import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Request, Response } from 'express';
import { type Audit, actorOf } from '../audit/audit.ts';
import type { Payloads } from '../catalog/payloads.ts';
import { FeedError, fail } from '../errors.ts';
import type { Principal } from '../keys/api-keys.ts';
import type { Logger } from '../log.ts';
import type { GitAddress } from './address.ts';
import { type Judge, openGate } from './gate.ts';
import { createGit, type Environment, type Git, runGit } from './git-backend.ts';
import { hookEnvironment, requireHook } from './hook.ts';
import { serveGit } from './http-backend.ts';
import { judge } from './judge.ts';
import { createManifestReader, type ManifestReader } from './manifest-reader.ts';
import { type Channel, channels, type RefUpdate } from './push.ts';
import { recordMissedMoves, recordMoves } from './record-moves.ts';
import { readRef } from './refs.ts';
import { ensureRepository } from './repository.ts';
import { createSlots } from './slots.ts';

export type BucketDeps = {
  /** `DATA_DIR/bucket` */
  readonly dir: string;
  /** The process' environment; git gets PATH and its like of it, nothing else. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly payloads: Pick<Payloads, 'find'>;
  readonly audit: Pick<Audit, 'record' | 'lastMove'>;
  readonly publicUrl: () => string;
  readonly log: Logger;
};

/** The Scoop bucket: one git repository under two addresses, whose rules hold for every push. */
export interface Bucket extends ManifestReader {
  /**
   * Answers a git client. `pusher` must be there for a push. Resolves with how a push ended that the rules saw: what git
   * refuses itself, such as a pack that is broken, never comes to them.
   * @throws FeedError BUCKET_BROKEN, PUSH_GATE_SHUT, GIT_BUSY, PUSH_TOO_LARGE, GIT_FAILED
   */
  serve(
    address: GitAddress,
    req: Request,
    res: Response,
    pusher: Principal | undefined,
  ): Promise<PushOutcome | undefined>;
  /** @throws FeedError BUCKET_BROKEN, GIT_FAILED, GIT_MISSING */
  ping(): Promise<void>;
  /** Ends what may be ended and waits for the rest. */
  close(): Promise<void>;
}

export type PushOutcome = 'published' | 'refused';

const limits = {
  waiting: 200,
  read: { atOnce: 16, maxBytes: 8 * 1024 ** 2, maxMs: 15 * 60_000 },
  write: { atOnce: 8, maxBytes: 48 * 1024 ** 2, maxMs: 60 * 60_000 },
};

/** Opens the bucket, making it first where there is none. @throws FeedError GIT_MISSING, GIT_FAILED */
export async function ensureBucket(deps: BucketDeps): Promise<Bucket> {
  await mkdir(deps.dir, { recursive: true });
  const git = createGit(join(deps.dir, 'repo.git'), deps.dir, deps.env);
  await ensureRepository(deps.dir, git);
  const moves = { ...deps, git };
  await recordMissedMoves(moves);
  const gate = await openGate();
  const slots = {
    read: createSlots(limits.read.atOnce, limits.waiting),
    write: createSlots(limits.write.atOnce, limits.waiting),
  };
  /** From the judging of a push to the end of git: two pushes that are each right may be wrong together. */
  const turn = createSlots(1, limits.waiting);
  const stopping = new AbortController();
  const running = new Set<Promise<unknown>>();
  const proven = new Set<string>();
  const served = { ...git, dir: deps.dir };

  async function push(
    address: GitAddress,
    req: Request,
    res: Response,
    pusher: Principal,
  ): Promise<PushOutcome | undefined> {
    await requireHook(git.dir);
    const over = new AbortController();
    let updates: readonly RefUpdate[] = [];
    let outcome: PushOutcome | undefined;
    // Asked now: a connection that is gone has no address any more.
    const by = actorOf(pusher, req.ip);
    const decide: Judge = async (question) => {
      const endTurn = await turn.acquire(over.signal);
      over.signal.addEventListener('abort', endTurn, { once: true });
      if (over.signal.aborted) {
        endTurn();
      }
      outcome = 'refused';
      return judge({ ...deps, git }, pusher, question, (accepted) => {
        updates = accepted;
      });
    };
    const pass = gate.issue(decide);
    try {
      await run(address, req, res, hookEnvironment(git.dir, gate.port, pass.token));
    } finally {
      if (await recordMoves(moves, updates, by)) outcome = 'published';
      pass.close();
      over.abort(new Error('the push is over'));
    }
    return outcome;
  }

  async function run(address: GitAddress, req: Request, res: Response, env: Environment): Promise<undefined> {
    const leave = await slots[address.access].acquire(stopping.signal);
    try {
      if (res.closed) {
        // Went away while waiting.
        return;
      }
      const options = { env, limits: limits[address.access], signal: stopping.signal };
      const { code, stderr } = await serveGit(served, address, req, res, options);
      if (code !== 0) {
        deps.log.warn({ code, stderr, service: address.service }, 'git ended early');
      }
    } finally {
      leave();
    }
  }

  return {
    ...createManifestReader(git),
    async serve(address, req, res, pusher) {
      await requireHead(git, address.channel, proven);
      const work =
        address.access === 'read' || address.isAdvertisement
          ? run(address, req, res, {})
          : push(address, req, res, pusher ?? fail('KEY_MISSING'));
      running.add(work);
      return await work.finally(() => running.delete(work));
    },
    async ping() {
      for (const channel of channels) {
        await requireHead(git, channel, new Set());
      }
    },
    async close() {
      stopping.abort(new FeedError('SHUTTING_DOWN'));
      await Promise.allSettled(running);
      await gate.close();
    },
  };
}

/**
 * A HEAD that leads nowhere clones as an empty bucket, which Scoop takes for a good one and can never update (spec
 * scoop 1.1). `proven` are the commits that were there once: nothing is ever pruned.
 */
async function requireHead(git: Git, channel: Channel, proven: Set<string>): Promise<void> {
  const tip = await readRef(git.dir, `refs/heads/${channel}`);
  if (tip === undefined) {
    return fail('BUCKET_BROKEN', { branch: channel });
  }
  if (!proven.has(tip)) {
    await runGit(git, ['cat-file', '-e', `${tip}^{tree}`]).catch((cause) =>
      fail('BUCKET_BROKEN', { branch: channel }, cause),
    );
    proven.add(tip);
  }
}
