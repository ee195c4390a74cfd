import * as z from 'zod';
import { ListedKeyJson } from '../../keys/key-json.ts';
import { expiringDays } from '../../keys/key-state.ts';
import { readJson } from '../ask-server.ts';
import { timeLeft } from '../key-table.ts';
import { type Check, type Finding, ok, skip, warn } from './check.ts';
import { ofThisMachine } from './server.ts';

/** Whether a pipeline or a fleet is about to be refused. */
export const keys: Check = {
  name: 'keys',
  needs: ['server'],
  async look(place) {
    const { server, now } = place;
    if (server === undefined) return skip('no server of this machine can be asked');
    const all = await readJson(ofThisMachine(server, place), 'api/v1/keys', z.array(ListedKeyJson));
    return judgeKeys(all, now());
  },
};

/** So many are named. */
const maxNamed = 5;

export function judgeKeys(
  all: readonly Pick<ListedKeyJson, 'id' | 'name' | 'state' | 'expires'>[],
  now: Date,
): Finding {
  const ending = all.filter(({ state }) => state === 'expiring');
  if (ending.length === 0) return ok(`none expires within ${expiringDays} days`);
  const named = ending
    .slice(0, maxNamed)
    .map(({ id, name, expires }) => `${id} (${name}) in ${timeLeft(expires ?? '', now)}`);
  const more = ending.length > maxNamed ? `, and ${ending.length - maxNamed} more` : '';
  return warn(
    `keys expire within ${expiringDays} days: ${named.join(', ')}${more}`,
    'feed:keys rotate ID --overlap 14d --expires 400d gives a key a new secret and a new end; feed:keys revoke ID if nobody uses it',
  );
}
