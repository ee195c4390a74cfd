import * as z from 'zod';
import type { Invocation } from '../../invocation.ts';
import { operator } from '../audit/audit.ts';
import { fail } from '../errors.ts';
import {
  CreatedKeyJson,
  ListedKeyJson,
  type NewKeyJson,
  type RotationJson,
  toListedKey,
} from '../keys/key-json.ts';
import type { Keys } from '../keys/keys.ts';
import { toNewKey, toRotation } from '../keys/new-key.ts';
import { type RunningServer, readJson } from './ask-server.ts';
import { withData } from './with-data.ts';

/** Keys in the data folder, or through the server that uses it. */
export type KeyAdmin = {
  create(key: NewKeyJson): Promise<CreatedKeyJson>;
  list(): Promise<ListedKeyJson[]>;
  rotate(id: string, rotation: RotationJson): Promise<CreatedKeyJson>;
  revoke(id: string): Promise<unknown>;
};

/** Does the work wherever the keys are. */
export function withKeys(
  invocation: Invocation,
  work: (admin: KeyAdmin) => Promise<void>,
  { needsFeed = true } = {},
): Promise<void> {
  return withData(invocation, {
    needsFeed,
    alone: ({ services }) => work(localKeyAdmin(services.keys)),
    running: (server) => work(remoteKeyAdmin(server)),
  });
}

function localKeyAdmin(keys: Keys): KeyAdmin {
  return {
    create: (json) => keys.create(toNewKey(json, new Date()), operator),
    list: async () => (await keys.list()).map((key) => toListedKey(key, new Date())),
    async rotate(id, json) {
      const outcome = await keys.rotate(id, toRotation(json, new Date()), operator);
      if (outcome === 'missing') return fail('KEY_NOT_FOUND', { id });
      if (outcome === 'exchanged') return fail('KEY_EXCHANGED', { id });
      return outcome === 'expired' ? fail('KEY_DEAD', { id }) : { id, key: outcome.key };
    },
    revoke: (id) => keys.revoke(id, operator),
  };
}

function remoteKeyAdmin(server: RunningServer): KeyAdmin {
  const keyPath = (id: string) => `api/v1/keys/${encodeURIComponent(id)}`;
  return {
    create: (json) => readJson(server, 'api/v1/keys', CreatedKeyJson, { method: 'POST', json }),
    list: () => readJson(server, 'api/v1/keys', z.array(ListedKeyJson)),
    rotate: (id, json) => readJson(server, `${keyPath(id)}/rotate`, CreatedKeyJson, { method: 'POST', json }),
    revoke: (id) => server.ask(keyPath(id), { method: 'DELETE' }),
  };
}
