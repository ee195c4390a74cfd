import { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { addressGroup, isLoopbackAddress } from '../../formats/ip-address.ts';
import { FeedError, fail } from '../errors.ts';
import type { Principal } from '../keys/api-keys.ts';
import type { Logger } from '../log.ts';
import type { GitAddress } from './address.ts';
import { readFetch } from './fetch-request.ts';
import type { Git } from './git-backend.ts';
import { serveGit } from './http-backend.ts';
import { createMemoryBudget, type MemoryShare } from './memory-budget.ts';
import type { PushOutcome, Receive } from './receive-push.ts';
import { openBody } from './request-body.ts';
import { createSemaphore, type Semaphore } from './semaphore.ts';

const mib = 1024 ** 2;
/** Per process: each server has its own limits. */
const limits = {
  waiting: 200,
  /** How long a request waits for a slot. */
  queueTimeoutMs: 60_000,
  /** One address gets at most half of the slots for reading, one key half of those for pushing: its line may be slow. */
  read: {
    ...{ atOnce: 16, ofOneAddress: 8, maxBytes: 8 * mib, maxMs: 15 * 60_000 },
    ...{ heldBytes: 128 * mib, heldOfOneAddress: 64 * mib },
  },
  write: { atOnce: 4, ofOneKey: 2, atOncePerKey: 8 },
};

/** What a fetch is served: a repository, as a path below the bucket's folder. */
export type Served = { readonly git: Git; readonly repository: string };

export type ServeDeps = {
  readonly receive: Receive;
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
  readonly log: Logger;
  /** git could not answer, and no client had left. */
  readonly onGitFailure: () => void;
};

export type ServeClients = {
  push(address: GitAddress, req: Request, res: Response, pusher: Principal): Promise<PushOutcome | undefined>;
  /** `choose` says what is served, once it is this request's turn. Resolves with whether git served all of it. */
  fetch(
    address: GitAddress,
    req: Request,
    res: Response,
    choose: () => Promise<Served>,
  ): Promise<boolean | undefined>;
};

/** Lets git clients read and push, with limits on how many at once and on each client's share. */
export function createServeClients({ receive, stopping, log, onGitFailure }: ServeDeps): ServeClients {
  const slots = {
    read: createSemaphore(limits.read.atOnce, limits.waiting, limits.read.ofOneAddress),
    write: createSemaphore(limits.write.atOnce, limits.waiting, limits.write.ofOneKey),
  };
  const held = createMemoryBudget(limits.read.heldBytes, limits.read.heldOfOneAddress);
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

  /** The whole request is read before it gets a slot, so that a slow sender does not block others. */
  async function fetch(
    address: GitAddress,
    req: Request,
    res: Response,
    choose: () => Promise<Served>,
  ): Promise<boolean | undefined> {
    const holding = held.open(readerOf(req));
    try {
      const request = address.isAdvertisement ? undefined : await receiveFetch(req, holding);
      return await inSlot(slots.read, readerOf(req), res, async () =>
        read(await choose(), address, req, res, request),
      );
    } finally {
      holding.giveBack();
    }
  }

  async function receiveFetch(req: Request, { take }: MemoryShare): Promise<Buffer> {
    stopping.throwIfAborted();
    const body = openBody(req, limits.read.maxBytes);
    const stop = () => body.destroy(stopping.reason);
    stopping.addEventListener('abort', stop, { once: true });
    return readFetch(body, take).finally(() => stopping.removeEventListener('abort', stop));
  }

  async function read(
    { git, repository }: Served,
    address: GitAddress,
    req: Request,
    res: Response,
    request: Buffer | undefined,
  ): Promise<boolean> {
    const { code, stderr } = await serveGit(git, address, req, res, {
      repository,
      env: {},
      body: Readable.from(request === undefined ? [] : [request]),
      maxMs: limits.read.maxMs,
      signal: stopping,
    });
    if (code !== 0) {
      log.warn({ code, stderr, service: address.service }, 'git ended early');
      // git also ends early when a client leaves.
      if (res.writableFinished) onGitFailure();
    }
    return code === 0;
  }

  /** Runs the work in a slot, unless the client left while it waited. */
  async function inSlot<Answer>(
    slot: Semaphore,
    holder: string | undefined,
    res: Response,
    work: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    const signals = [stopping, gone.signal];
    const leave = await inTime(signals, (signal) => slot.acquire(signal, holder)).catch((error) => {
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

  return { push, fetch };
}

/** Gives up after a minute. @throws FeedError GIT_BUSY */
export async function inTime<T>(
  signals: readonly AbortSignal[],
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const patience = AbortSignal.timeout(limits.queueTimeoutMs);
  return wait(AbortSignal.any([...signals, patience])).catch((error) => {
    throw patience.aborted ? new FeedError('GIT_BUSY', {}, error) : error;
  });
}

/** Who a fetch counts for; this machine's own do not count. */
function readerOf({ ip = '' }: Request): string | undefined {
  return isLoopbackAddress(ip) ? undefined : addressGroup(ip);
}
