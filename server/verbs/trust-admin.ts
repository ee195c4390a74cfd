import * as z from 'zod';
import type { Invocation } from '../../invocation.ts';
import { operator } from '../audit/audit.ts';
import { fail } from '../errors.ts';
import {
  IssuerJson,
  issuerId,
  type NewIssuerJson,
  SetIssuerJson,
  toIssuerJson,
  toNewIssuer,
} from '../trust/issuer-json.ts';
import {
  AddedPublisherJson,
  type NewPublisherJson,
  PublisherJson,
  toNewPublisher,
  toPublisherJson,
} from '../trust/publisher-json.ts';
import type { Trust } from '../trust/trust.ts';
import { type RunningServer, readJson } from './ask-server.ts';
import { withData } from './with-data.ts';

/** Trusted publishers and issuers in the data folder, or through the server that uses it. */
export type TrustAdmin = {
  add(publisher: NewPublisherJson): Promise<{ readonly id: string }>;
  list(): Promise<PublisherJson[]>;
  remove(id: string): Promise<unknown>;
  setIssuer(issuer: NewIssuerJson): Promise<SetIssuerJson>;
  listIssuers(): Promise<IssuerJson[]>;
  removeIssuer(url: string): Promise<unknown>;
};

/** Does the work wherever they are. */
export function withTrust(
  invocation: Invocation,
  work: (admin: TrustAdmin) => Promise<void>,
  { needsFeed = true } = {},
): Promise<void> {
  return withData(invocation, {
    needsFeed,
    alone: ({ services }) => work(localTrustAdmin(services)),
    running: (server) => work(remoteTrustAdmin(server)),
  });
}

function localTrustAdmin({ trust, publicUrl }: { trust: Trust; publicUrl: () => string }): TrustAdmin {
  return {
    async add(json) {
      const added = await trust.add(toNewPublisher(json, publicUrl(), new Date()), operator);
      return added === 'exists' ? fail('PUBLISHER_EXISTS', { name: json.name }) : added;
    },
    list: async () => (await trust.list()).map(toPublisherJson),
    remove: (id) => trust.remove(id, operator),
    async setIssuer(json) {
      const { skipped, ...issuer } = toNewIssuer(json);
      await trust.setIssuer(issuer, operator);
      return { keys: issuer.keys.map(({ kid }) => kid), skipped: [...skipped] };
    },
    listIssuers: async () => (await trust.listIssuers()).map(toIssuerJson),
    removeIssuer: (url) => trust.removeIssuer(url, operator),
  };
}

function remoteTrustAdmin(server: RunningServer): TrustAdmin {
  const post = <T extends z.ZodType>(path: string, json: object, schema: T) =>
    readJson(server, `api/v1/${path}`, schema, { method: 'POST', json });
  return {
    add: (json) => post('publishers', json, AddedPublisherJson),
    list: () => readJson(server, 'api/v1/publishers', z.array(PublisherJson)),
    remove: (id) => server.ask(`api/v1/publishers/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    setIssuer: (json) => post('issuers', json, SetIssuerJson),
    listIssuers: () => readJson(server, 'api/v1/issuers', z.array(IssuerJson)),
    removeIssuer: (url) => server.ask(`api/v1/issuers/${issuerId(url)}`, { method: 'DELETE' }),
  };
}
