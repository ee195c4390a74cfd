import { fail } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { GitAddress } from './address.ts';
import { type Asking, type ClientServices, createClientHeads } from './client-heads.ts';
import type { Offer } from './client-offers.ts';
import { type ClientStore, openClientStore } from './client-store.ts';
import { type Git, withSettings } from './git-backend.ts';
import type { ManifestReader } from './manifest-reader.ts';
import type { PendingCommit } from './pending-commits.ts';
import type { Served } from './serve-clients.ts';
import type { SharedRepository } from './shared-repository.ts';

export type ClientViewDeps = {
  /** `DATA_DIR/bucket` */
  readonly dir: string;
  /** Undefined: this server has no addresses of clients. */
  readonly clients?: ClientServices;
  readonly git: Git;
  /** The bucket's folder, with limits. */
  readonly served: Git;
  readonly reader: Pick<ManifestReader, 'readTip'>;
  readonly waitingForMain: () => Promise<readonly PendingCommit[]>;
  /** Where other servers make links too, and move main. */
  readonly shared?: Pick<SharedRepository, 'catchUp' | 'whenSound'> | undefined;
  readonly log: Logger;
};

/** The bucket as single clients see it. Ids are in lower case. */
export interface ClientViews {
  /** Runs a fetch with what the client is to be served; notes that it got it, where it did. */
  serve(
    client: string,
    from: string | undefined,
    address: GitAddress,
    fetch: (choose: () => Promise<Served>) => Promise<boolean | undefined>,
  ): Promise<undefined>;
  /** The manifest that a client is offered. */
  manifestOf(
    client: string,
    tool: string,
    from: string | undefined,
    asking: Asking,
  ): Promise<{ readonly text: string } | undefined>;
}

/** Repairs the commits of clients, where there are any, before they are served. */
export async function openClientViews(deps: ClientViewDeps): Promise<ClientViews | undefined> {
  const { dir: bucketDir, clients, git, served, reader, waitingForMain, shared, log } = deps;
  if (clients === undefined) return undefined;
  const { links, receive } = clients;

  let opened: Promise<ClientStore> | undefined;
  /** Nothing is written on a disk where nobody was ever admitted. */
  function store(): Promise<ClientStore> {
    const opening = opened ?? openClientStore({ bucketDir, git, links, log, shared });
    opened = opening;
    opening.catch(() => {
      opened = undefined;
    });
    return opening;
  }
  // The copy of a bucket that several servers share may still be empty.
  if (shared === undefined && (await links.newest()) !== undefined) {
    await store().catch((err) => log.error({ err }, 'the commits of clients could not be repaired'));
  }

  const readMain = async () => (await reader.readTip('main')) ?? fail('BUCKET_BROKEN', { branch: 'main' });
  const heads = createClientHeads({ ...clients, store, readMain, waitingForMain });
  const main: Served = {
    // The client's view of main has no other branch, and no tags.
    git: withSettings(served, [
      ['uploadpack.hideRefs', 'refs/'],
      ['uploadpack.hideRefs', '!refs/heads/main'],
    ]),
    repository: 'main.git',
  };

  async function received(client: string, offers: readonly Offer[]): Promise<void> {
    for (const { is, rollout } of offers) if (is === 'version') await receive(client, rollout);
  }

  return {
    async serve(client, from, { isAdvertisement }, fetch) {
      let offered: readonly Offer[] = [];
      const isDone = await fetch(async () => {
        const { folder, offers } = await heads.serve(client, from);
        offered = offers;
        return folder === undefined ? main : { git: served, repository: folder };
      });
      // From protocol version 2 on, the first request shows no branch yet.
      if (isDone === true && !isAdvertisement) await received(client, offered);
      return undefined;
    },
    async manifestOf(client, tool, from, asking) {
      const { main, offers } = await heads.offersOf(client, from, asking);
      const offer = offers.find((one) => one.tool === tool);
      if (offer !== undefined && asking === 'get') await received(client, [offer]);
      return offer ?? main.manifests.get(tool);
    },
  };
}
