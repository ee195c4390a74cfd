import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { addressGroup, isLoopbackAddress } from '../../formats/ip-address.ts';
import type { Audit } from '../audit/audit.ts';
import type { Payloads } from '../catalog/payloads.ts';
import { FeedError, fail } from '../errors.ts';
import type { Principal } from '../keys/api-keys.ts';
import type { Logger } from '../log.ts';
import type { GitAddress } from './address.ts';
import { readFetch } from './fetch-request.ts';
import { createGit, type Git, runGit } from './git-backend.ts';
import { openHookServer } from './hook-server.ts';
import { serveGit } from './http-backend.ts';
import { createManifestReader, type ManifestReader } from './manifest-reader.ts';
import { createMemoryBudget, type MemoryShare } from './memory-budget.ts';
import { type Channel, channels } from './push.ts';
import { createReceive, type PushOutcome } from './receive-push.ts';
import { recordMissedRefUpdates } from './record-ref-updates.ts';
import { readRef } from './refs.ts';
import { asServed, ensureRepository } from './repository.ts';
import { openBody } from './request-body.ts';
import { createSemaphore, type Semaphore } from './semaphore.ts';

export type BucketDeps = {
  /** `DATA_DIR/bucket` */
  readonly dir: string;
  /** The process' environment; git gets PATH and its like of it, nothing else. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly payloads: Pick<Payloads, 'find'>;
  readonly audit: Pick<Audit, 'record' | 'lastRefUpdate'>;
  readonly publicUrl: () => string;
  /** The setting RESERVED_IDS. */
  readonly reservedIds: readonly string[];
  readonly log: Logger;
};

/** The Scoop bucket: one git repository under two addresses, whose rules hold for every push. */
export interface Bucket extends ManifestReader {
  /**
   * Answers a git client. `pusher` must be there for a push. Resolves with how a push ended that the rules saw: what git
   * refuses itself, such as a pack that is broken, never comes to them.
   * @throws FeedError BUCKET_BROKEN, PUSH_GATE_SHUT, GIT_BUSY, PUSHES_AT_ONCE, PUSH_INVALID, PUSH_TOO_LARGE, GIT_FAILED
   */
  serve(
    address: GitAddress,
    req: Request,
    res: Response,
    pusher: Principal | undefined,
  ): Promise<PushOutcome | undefined>;
  /**
   * Does some work while no push is checked and no branch moves.
   * @throws FeedError GIT_BUSY when pushes have it for too long, SHUTTING_DOWN
   */
  between<Answer>(work: () => Promise<Answer>): Promise<Answer>;
  /** @throws FeedError BUCKET_BROKEN, GIT_FAILED, GIT_MISSING */
  ping(): Promise<void>;
  /** Ends what may be ended and waits for the rest. */
  close(): Promise<void>;
}

const mib = 1024 ** 2;
const limits = {
  waiting: 200,
  /** How long a request waits for its slot. */
  patienceMs: 60_000,
  /** Of the readers' slots one address has half, of the pushers' one key: theirs may be a slow line. */
  read: {
    ...{ atOnce: 16, ofOneAddress: 8, maxBytes: 8 * mib, maxMs: 15 * 60_000 },
    ...{ heldBytes: 128 * mib, heldOfOneAddress: 64 * mib },
  },
  write: { atOnce: 4, ofOneKey: 2, atOncePerKey: 8 },
};

/** Of each process of git: what a pack of 32 MiB takes, and a clone of a large bucket. */
const caps = {
  read: { memoryBytes: 1024 * mib, cpuSeconds: 120 },
  write: { memoryBytes: 256 * mib, cpuSeconds: 60 },
};

/** Opens the bucket, making it first where there is none. @throws FeedError GIT_MISSING, GIT_FAILED */
export async function ensureBucket(deps: BucketDeps): Promise<Bucket> {
  await mkdir(deps.dir, { recursive: true });
  const own = createGit(join(deps.dir, 'repo.git'), deps.dir, deps.env);
  await ensureRepository(deps.dir, own);
  const git = asServed(own);
  const moves = { ...deps, git };
  await recordMissedRefUpdates(moves);
  const hookServer = await openHookServer();
  const slots = {
    read: createSemaphore(limits.read.atOnce, limits.waiting, limits.read.ofOneAddress),
    write: createSemaphore(limits.write.atOnce, limits.waiting, limits.write.ofOneKey),
  };
  const mutex = createSemaphore(1, limits.waiting);
  const held = createMemoryBudget(limits.read.heldBytes, limits.read.heldOfOneAddress);
  const stopping = new AbortController();
  // One for each request that runs, which is no leak.
  setMaxListeners(0, stopping.signal);
  const running = new Set<Promise<unknown>>();
  const proven = new Set<string>();
  const served = { ...git, dir: deps.dir, cap: caps.read };
  const receive = createReceive({
    ...deps,
    git: { ...git, cap: caps.write },
    served: { ...served, cap: caps.write },
    hookServer,
    stopping: stopping.signal,
    mutex,
  });
  const pushesByKey = new Map<string, number>();

  async function push(
    address: GitAddress,
    req: Request,
    res: Response,
    pusher: Principal,
  ): Promise<PushOutcome | undefined> {
    const underWay = pushesByKey.get(pusher.keyId) ?? 0;
    if (underWay >= limits.write.atOncePerKey) {
      fail('PUSHES_AT_ONCE', { limit: limits.write.atOncePerKey });
    }
    pushesByKey.set(pusher.keyId, underWay + 1);
    try {
      return await inSlot(slots.write, pusher.keyId, res, () => receive(address, req, res, pusher));
    } finally {
      const left = (pushesByKey.get(pusher.keyId) ?? 1) - 1;
      if (left > 0) pushesByKey.set(pusher.keyId, left);
      else pushesByKey.delete(pusher.keyId);
    }
  }

  /** The request is read before it has a slot: whoever dribbles it takes none from others. */
  async function fetch(address: GitAddress, req: Request, res: Response): Promise<undefined> {
    const holding = held.open(readerOf(req));
    try {
      const request = address.isAdvertisement ? undefined : await receiveFetch(req, holding);
      return await inSlot(slots.read, readerOf(req), res, () => read(address, req, res, request));
    } finally {
      holding.giveBack();
    }
  }

  async function receiveFetch(req: Request, { take }: MemoryShare): Promise<Buffer> {
    stopping.signal.throwIfAborted();
    const body = openBody(req, limits.read.maxBytes);
    const stop = () => body.destroy(stopping.signal.reason);
    stopping.signal.addEventListener('abort', stop, { once: true });
    return readFetch(body, take).finally(() => stopping.signal.removeEventListener('abort', stop));
  }

  async function read(
    address: GitAddress,
    req: Request,
    res: Response,
    request: Buffer | undefined,
  ): Promise<undefined> {
    const { code, stderr } = await serveGit(served, address, req, res, {
      env: {},
      body: Readable.from(request === undefined ? [] : [request]),
      maxMs: limits.read.maxMs,
      signal: stopping.signal,
    });
    if (code !== 0) {
      deps.log.warn({ code, stderr, service: address.service }, 'git ended early');
    }
  }

  /** With a slot for it, unless the client went away while it waited. */
  async function inSlot<Answer>(
    slot: Semaphore,
    holder: string | undefined,
    res: Response,
    work: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    const leave = await enter(slot, holder, gone.signal).catch((error) => {
      if (gone.signal.aborted) return undefined;
      throw error;
    });
    if (leave === undefined) return undefined;
    try {
      return res.closed ? undefined : await work();
    } finally {
      leave();
    }
  }

  async function enter(slot: Semaphore, holder?: string, gone?: AbortSignal): Promise<() => void> {
    const patience = AbortSignal.timeout(limits.patienceMs);
    const signals = [stopping.signal, patience, ...(gone === undefined ? [] : [gone])];
    return slot.acquire(AbortSignal.any(signals), holder).catch((error) => {
      throw patience.aborted ? new FeedError('GIT_BUSY', {}, error) : error;
    });
  }

  return {
    ...createManifestReader(git),
    async serve(address, req, res, pusher) {
      await requireHead(git, address.channel, proven);
      const work =
        address.access === 'read' || address.isAdvertisement
          ? fetch(address, req, res)
          : push(address, req, res, pusher ?? fail('KEY_MISSING'));
      running.add(work);
      return await work.finally(() => running.delete(work));
    },
    async between(work) {
      const leave = await enter(mutex);
      try {
        return await work();
      } finally {
        leave();
      }
    },
    async ping() {
      for (const channel of channels) {
        await requireHead(git, channel, new Set());
      }
    },
    async close() {
      stopping.abort(new FeedError('SHUTTING_DOWN'));
      await Promise.allSettled(running);
      await hookServer.close();
    },
  };
}

/** Who a fetch is counted for; those of this machine are not. */
function readerOf({ ip = '' }: Request): string | undefined {
  return isLoopbackAddress(ip) ? undefined : addressGroup(ip);
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
