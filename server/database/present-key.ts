import type { Actor } from '../audit/audit.ts';
import { fail } from '../errors.ts';
import type { Prepare } from './statements.ts';

/**
 * In the transaction of a change, so that nothing comes after a revocation that was confirmed: the key was looked up before the bytes
 * were stored, and a change may wait for the database.
 * @throws FeedError KEY_REVOKED
 */
export function requirePresentKey(prepare: Prepare, { keyId, keyName: name, isPresent }: Actor): void {
  if (isPresent !== true) return;
  const revoked = prepare('SELECT revoked FROM keys WHERE id = ?').pluck().get(keyId);
  if (typeof revoked === 'number') fail('KEY_REVOKED', { name, at: new Date(revoked).toISOString() });
}
