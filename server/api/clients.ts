import express, { type Request, type Router } from 'express';
import { readClientId } from '../clients/client-id.ts';
import type { Clients } from '../clients/clients.ts';
import { fail } from '../errors.ts';
import { principalWith } from '../http/auth.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import type { Logger } from '../log.ts';
import { ClientParameters, ClientsParameters } from '../rollout/client-json.ts';
import { explainClient, type ReadingClients, readClients } from '../rollout/read-clients.ts';
import { administratorOf, readQuery } from './read.ts';

export type ClientServices = ReadingClients & {
  readonly clients: Pick<Clients, 'forget'>;
  readonly log: Logger;
};

/** Machines that have addresses of their own: with `read` they can be seen, and with `admin` forgotten. */
export function createClientRouter(services: ClientServices): Router {
  const router = express.Router();
  router
    .route('/clients')
    .get(async (req, res) => {
      await principalWith(req, ['read']);
      res.json(await readClients(services, readQuery(ClientsParameters, req)));
    })
    .all(methodNotAllowed('GET, HEAD'));
  router
    .route('/clients/:id')
    .get(async (req: Request<{ id: string }>, res) => {
      await principalWith(req, ['read']);
      const { tool } = readQuery(ClientParameters, req);
      res.json(await explainClient(services, idOf(req), tool));
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

function idOf({ params: { id } }: Request<{ id: string }>): string {
  return readClientId(id) ?? fail('CLIENT_INVALID', { id: id.slice(0, 100) });
}
