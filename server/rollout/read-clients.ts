import type { Clients } from '../clients/clients.ts';
import { createPause } from '../pause.ts';
import { type ClientJson, type ClientsPage, toClientJson } from './client-json.ts';
import type { Standings } from './standing.ts';

export type ReadingClients = {
  readonly clients: Pick<Clients, 'list' | 'find' | 'downloads'>;
  readonly standings: Standings;
};

/** So many are read at once, however few of them are shown. */
const idsAtOnce = 500;

/**
 * A page of the clients that were seen, by id. Of those that are not to be shown a page says nothing: it is filled from the ones
 * after them, and goes on at the last that it shows.
 */
export async function readClients(
  { clients, standings }: ReadingClients,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
  isShown: (id: string) => boolean | Promise<boolean> = () => true,
): Promise<ClientsPage> {
  const pause = createPause();
  const shown: ClientJson[] = [];
  for (let last = after; ; ) {
    const known = await clients.list({ after: last, limit: idsAtOnce });
    for (const client of known) {
      last = client.id;
      if (await isShown(last))
        shown.push(toClientJson(last, client, await standings.of(last), await clients.downloads(last)));
      if (shown.length === limit) return { clients: shown, next: last };
      if (pause.isDue()) await pause.take();
    }
    if (known.length < idsAtOnce) return { clients: shown, next: null };
  }
}

/** One client, seen or not, and why it is offered what it is. */
export async function explainClient(
  {
    clients,
    standings,
  }: Pick<ReadingClients, 'standings'> & {
    readonly clients: Pick<Clients, 'find' | 'downloads'>;
  },
  id: string,
  tool?: string,
): Promise<ClientJson> {
  const downloaded = (await clients.downloads(id)).filter(
    ({ packageId }) => tool === undefined || packageId === tool.toLowerCase(),
  );
  return toClientJson(id, await clients.find(id), await standings.of(id, tool), downloaded);
}
