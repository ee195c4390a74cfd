import express, { type Request, type Router } from 'express';
import { readClientId } from '../clients/client-id.ts';
import type { Clients } from '../clients/clients.ts';
import { fail } from '../errors.ts';
import { mayAsk, mayReadAs, principalWith } from '../http/auth.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import type { Logger } from '../log.ts';
import { type ClientJson, ClientParameters, ClientsParameters } from '../rollout/client-json.ts';
import { explainClient, type ReadingClients, readClients } from '../rollout/read-clients.ts';
import { administratorOf, readQuery } from './read.ts';

export type ClientServices = ReadingClients & {
  readonly clients: Pick<Clients, 'forget'>;
  readonly log: Logger;
};

/** Machines that have addresses of their own: with `read` they can be seen, as far as the key's limits go, and with `admin` forgotten. */
export function createClientRouter(services: ClientServices): Router {
  const router = express.Router();
  router
    .route('/clients')
    .get(async (req, res) => {
      await principalWith(req, ['read']);
      const query = readQuery(ClientsParameters, req);
      const { clients, next } = await readClients(services, query, (id) => mayReadAs(req, id));
      res.json({ clients: await Promise.all(clients.map((client) => withinIds(req, client))), next });
    })
    .all(methodNotAllowed('GET, HEAD'));
  router
    .route('/clients/:id')
    .get(async (req: Request<{ id: string }>, res) => {
      await principalWith(req, ['read']);
      const { tool } = readQuery(ClientParameters, req);
      const id = idOf(req);
      await principalWith(req, ['read'], undefined, id);
      res.json(await withinIds(req, await explainClient(services, id, tool)));
    })
    .delete(async (req: Request<{ id: string }>, res) => {
      const by = await administratorOf(req);
      const id = idOf(req);
      const outcome = await services.clients.forget(id, by);
      if (outcome === 'missing') fail('CLIENT_UNSEEN', { id });
      if (outcome === 'admitted') fail('CLIENT_ADMITTED', { id });
      services.log.info({ client: id }, 'client forgotten');
      res.status(204).end();
    })
    .all(methodNotAllowed('GET, HEAD, DELETE'));
  return router;
}

/** Keys that are limited to ids learn of no other versions. */
async function withinIds(req: Request, client: ClientJson): Promise<ClientJson> {
  const tools = new Set<string>();
  for (const { tool, packageId } of client.offers) {
    if (await mayAsk(req, ['read'], [tool, packageId])) tools.add(tool);
  }
  const isSeen = ({ tool }: { readonly tool: string }) => tools.has(tool);
  const downloaded: ClientJson['downloaded'] = [];
  for (const one of client.downloaded) if (await mayAsk(req, ['read'], [one.packageId])) downloaded.push(one);
  return {
    ...client,
    rollouts: client.rollouts.filter(isSeen),
    offers: client.offers.filter(isSeen),
    downloaded,
  };
}

function idOf({ params: { id } }: Request<{ id: string }>): string {
  return readClientId(id) ?? fail('CLIENT_INVALID', { id: id.slice(0, 100) });
}
