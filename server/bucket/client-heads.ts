import { setMaxListeners } from 'node:events';
import { FeedError, fail, isStorageFailure } from '../errors.ts';
import { type ClientHead, headIn, linkFor, viewOf } from './client-chain.ts';
import type { ClientLinks, StoredLink } from './client-links.ts';
import {
  blobOf,
  type ClientGrant,
  type Manifests,
  type Offer,
  offersBeyond,
  printOffers,
} from './client-offers.ts';
import type { ClientStore } from './client-store.ts';
import type { PendingCommit } from './pending-commits.ts';
import { createSemaphore } from './semaphore.ts';
import { asGrant } from './waiting-for-main.ts';

/** HEAD only looks: it admits nobody, and nobody has received what it shows. */
export type Asking = 'get' | 'head';

/** What clients of rollouts see, as the bucket asks for it. */
export type ClientServices = {
  readonly views: {
    /** Admits the client first, durably, unless it only looks. */
    bucketGrants(client: string, from?: string, asking?: Asking): Promise<readonly ClientGrant[]>;
  };
  readonly links: ClientLinks;
  readonly manifests: Manifests;
  /** An admitted client has the version of a rollout now. */
  readonly receive: (client: string, rollout: number) => Promise<void>;
  readonly now: () => Date;
};

/** Main at one moment. */
export type MainOffers = {
  readonly commit: string;
  readonly manifests: ReadonlyMap<string, { readonly version: string; readonly text: string }>;
};

export type HeadDeps = ClientServices & {
  readonly store: () => Promise<ClientStore>;
  readonly readMain: () => Promise<MainOffers>;
  /** Commits what main is still to get; answers with what git cannot commit now. */
  readonly waitingForMain: () => Promise<readonly PendingCommit[]>;
};

export interface ClientHeads {
  /** What a client is offered now: main, and what its view has beyond it. */
  offersOf(
    client: string,
    from: string | undefined,
    asking: Asking,
  ): Promise<{ readonly main: MainOffers; readonly offers: readonly Offer[] }>;
  /** The repository that a client is served; undefined: main itself, as it is for everybody. Durable when it resolves. */
  serve(
    client: string,
    from: string | undefined,
  ): Promise<{ readonly folder: string | undefined; readonly offers: readonly Offer[] }>;
}

/** What a client is granted, and what is granted to all since main does not have it yet. */
type Granted = {
  readonly grants: readonly ClientGrant[];
  readonly waiting: readonly PendingCommit[];
};

/** What a client is offered on one commit of main. */
type Wanted = { readonly main: MainOffers; readonly offers: readonly Offer[] };
type Found = {
  readonly head: ClientHead;
  readonly link: StoredLink | undefined;
  /** Whether the rows say all of this already. */
  readonly isWritten: boolean;
};

type ServedHead = { readonly link: StoredLink | undefined; readonly offers: readonly Offer[] };

/** Each time, another server has made a link. */
const maxAttempts = 10;

/** Never aborted: what is being written is finished for the next request. */
const never = new AbortController().signal;
setMaxListeners(0, never);

/** Decides which commit each client gets, and makes it where it is the first to need it. */
export function createClientHeads(deps: HeadDeps): ClientHeads {
  const { views, links, manifests, now, store, readMain, waitingForMain } = deps;
  const writing = createSemaphore(1, 200);
  /** The last write: rows can be read before they are durable, and must not be answered with then. */
  let durable: Promise<unknown> = Promise.resolve();

  async function grantsOf(
    client: string,
    from: string | undefined,
    asking: Asking = 'get',
  ): Promise<Granted> {
    const grants = await views.bucketGrants(client, from, asking);
    // A version that is completed is no longer among them, and comes to main now; or all clients get it without main.
    const waiting = await waitingForMain();
    return { grants: [...grants, ...waiting.map(asGrant)], waiting };
  }

  /** Main is read last: what waited for it before is either on it or among the grants. */
  async function onMain({ grants, waiting }: Granted): Promise<Wanted> {
    const main = await readMain();
    const texts: Manifests = {
      find: async (tool, version) =>
        waiting.find((one) => one.tool === tool && one.version === version) ?? manifests.find(tool, version),
    };
    return { main, offers: await offersBeyond(main.manifests, grants, texts) };
  }

  async function find(client: string, { main, offers }: Wanted): Promise<Found | undefined> {
    const view = viewOf(offers);
    const before = await links.headOf(client);
    // As long as a client was served nothing but main, main is what it can go forward to.
    if (before === undefined && offers.length === 0) return undefined;
    const ended = before === undefined || before.view === view ? 0 : await links.servedTo(before.view);
    const head = headIn(view, before, () => ended);
    const served = await links.servedTo(view);
    const wanted = { main: main.commit, offers: printOffers(offers) };
    const made = await links.linksOn(main.commit, Math.max(head.since, served));
    const link = linkFor(made, wanted, head, served);
    return { head, link, isWritten: before?.view === view && link !== undefined && link.number === served };
  }

  /** One at a time, since a link is made on the newest one; on main as it is then. */
  async function write(client: string, grants: Granted, attempt = 1): Promise<ServedHead> {
    // First, since it drops links that the bucket is too old for.
    await store().catch(refuseUnstored);
    // Before main: a link never has an older main than the link before it.
    const last = await links.newest();
    const wanted = await onMain(grants);
    const { offers } = wanted;
    const found = await find(client, wanted);
    if (found === undefined) return { link: undefined, offers };
    const { head } = found;
    if (found.link !== undefined) {
      await keep(links.serve({ client, head, link: found.link.number }));
      return { link: found.link, offers };
    }
    const link = await make(wanted, last);
    const texts = new Map(offers.map(({ text }) => [blobOf(text), text]));
    if (await keep(links.serve({ client, head, link: link.number }, link, texts))) return { link, offers };
    // Another server was faster.
    return attempt < maxAttempts ? write(client, grants, attempt + 1) : fail('GIT_BUSY');
  }

  async function keep(written: Promise<boolean>): Promise<boolean> {
    durable = written.catch(() => undefined);
    return written.catch(refuseUnstored);
  }

  async function make({ main, offers }: Wanted, last: StoredLink | undefined): Promise<StoredLink> {
    const at = now();
    const parts = { main: main.commit, previous: last?.commit, at, offers };
    const commit = await store()
      .then((opened) => opened.write(parts))
      .catch(refuseUnstored);
    return { number: (last?.number ?? 0) + 1, main: main.commit, offers: printOffers(offers), at, commit };
  }

  return {
    offersOf: (client, from, asking) => insistent(async () => onMain(await grantsOf(client, from, asking))),
    serve: (client, from) => insistent(() => serveNow(client, from)),
  };

  async function serveNow(client: string, from: string | undefined): ReturnType<ClientHeads['serve']> {
    const grants = await grantsOf(client, from);
    const wanted = await onMain(grants);
    const found = await find(client, wanted);
    let head: ServedHead = { link: found?.link, offers: wanted.offers };
    if (found === undefined || found.isWritten) {
      await durable;
    } else {
      const leave = await writing.acquire(never);
      head = await write(client, grants).finally(leave);
    }
    const { link, offers } = head;
    if (link === undefined) return { folder: undefined, offers };
    const folder = await store()
      .then(({ folderOf }) => folderOf(link))
      .catch(refuseUnstored);
    return { folder, offers };
  }
}

/** On a full disk. What it got before stays as it is, and clients that need nothing new are served. */
function refuseUnstored(error: unknown): never {
  const isGit = error instanceof FeedError && error.code === 'GIT_FAILED';
  throw isGit || isStorageFailure(error) ? new FeedError('VIEW_NOT_STORED', {}, error) : error;
}

/** A transition may take a manifest away between two looks: what the client is granted then is another. */
async function insistent<Answer>(look: () => Promise<Answer>, times = 3): Promise<Answer> {
  try {
    return await look();
  } catch (error) {
    if (times === 1 || !(error instanceof FeedError) || error.code !== 'CLIENT_VIEW_BROKEN') throw error;
    return insistent(look, times - 1);
  }
}
