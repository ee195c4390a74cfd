import { fail } from '../errors.ts';
import type { Principal } from '../keys/api-keys.ts';
import { matchesGlob } from '../keys/glob.ts';

/** @throws FeedError ID_RESERVED */
export function requireOwner(reservedIds: readonly string[], id: string, pusher: Principal): void {
  const reserved = reservedAgainst(reservedIds, id, pusher);
  if (reserved !== undefined) fail('ID_RESERVED', { id, reserved });
}

/** The reservations of an id. */
export function reservationsOf(reservedIds: readonly string[], id: string): readonly string[] {
  return reservedIds.filter((glob) => matchesGlob(glob, id));
}

/**
 * The reservation that keeps this pusher from publishing the id, if there is one. Ids in RESERVED_IDS (`acme.*`, or one id) may
 * be published only with keys that are limited to such ids and to this one, or with keys that have `admin`. A key without a limit
 * belongs to no one owner, and one for `*` is no narrower.
 */
export function reservedAgainst(
  reservedIds: readonly string[],
  id: string,
  pusher: Principal,
): string | undefined {
  const reserved = reservationsOf(reservedIds, id);
  const [first] = reserved;
  if (first === undefined || isAdmin(pusher)) return undefined;
  const owns = pusher.ids.some(
    (glob) => matchesGlob(glob, id) && reserved.some((one) => isWithin(glob, one)),
  );
  return owns ? undefined : first;
}

function isAdmin({ scopes, ids }: Principal): boolean {
  return scopes.includes('admin') && ids.length === 0;
}

/** Whether everything that `glob` matches is reserved: it begins like the reservation. */
function isWithin(glob: string, reserved: string): boolean {
  const [wanted, own] = [glob.toLowerCase(), reserved.toLowerCase()];
  return own.endsWith('*') ? wanted.startsWith(own.slice(0, -1)) : wanted === own;
}
