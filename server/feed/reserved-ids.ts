import { fail } from '../errors.ts';
import type { Principal } from '../keys/api-keys.ts';
import { matchesGlob } from '../keys/glob.ts';

/** @throws FeedError ID_RESERVED */
export function requireOwner(reservedIds: readonly string[], id: string, pusher: Principal): void {
  const reserved = reservedAgainst(reservedIds, id, pusher);
  if (reserved !== undefined) fail('ID_RESERVED', { id, reserved });
}

/**
 * Ids that RESERVED_IDS names (`acme.*`, or one id) are published by their owners only: keys that are limited to ids of
 * that kind and to this one, or keys that administer everything. A key without a limit is nobody's in particular, and one
 * for `*` is no narrower. Answers with the reservation that stands against this pusher, if one does.
 */
export function reservedAgainst(
  reservedIds: readonly string[],
  id: string,
  pusher: Principal,
): string | undefined {
  const reserved = reservedIds.filter((glob) => matchesGlob(glob, id));
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

/** Whether all that `glob` fits is reserved: it begins as the reservation does. */
function isWithin(glob: string, reserved: string): boolean {
  const [wanted, own] = [glob.toLowerCase(), reserved.toLowerCase()];
  return own.endsWith('*') ? wanted.startsWith(own.slice(0, -1)) : wanted === own;
}
