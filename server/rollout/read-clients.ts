import type { Clients } from '../clients/clients.ts';
import { createPause } from '../pause.ts';
import { type ClientJson, type ClientsPage, toClientJson } from './client-json.ts';
import type { Standings } from './standing.ts';

export type ReadingClients = {
  readonly clients: Pick<Clients, 'list' | 'find'>;
  readonly standings: Standings;
};

/** A page of all clients that were seen, by id. */
export async function readClients(
  { clients, standings }: ReadingClients,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<ClientsPage> {
  const pause = createPause();
  const shown: ClientJson[] = [];
  const known = await clients.list({ after, limit });
  for (const client of known) {
    shown.push(toClientJson(client.id, client, await standings.of(client.id)));
    if (pause.isDue()) await pause.take();
  }
  return { clients: shown, next: known.length < limit ? null : (known.at(-1)?.id ?? null) };
}

/** One client, seen or not, and why it is offered what it is. */
export async function explainClient(
  { clients, standings }: Pick<ReadingClients, 'standings'> & { readonly clients: Pick<Clients, 'find'> },
  id: string,
  tool?: string,
): Promise<ClientJson> {
  return toClientJson(id, await clients.find(id), await standings.of(id, tool));
}
