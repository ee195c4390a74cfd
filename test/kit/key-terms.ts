import type { KeyTerms } from '../../server/keys/api-keys.ts';

/** A key as it was made, without limits but those that are named. */
export function makeKeyTerms(terms: Partial<KeyTerms> = {}): KeyTerms {
  return {
    keyId: 'id',
    name: 'test',
    scopes: ['read'],
    ids: [],
    clients: [],
    networks: [],
    owner: undefined,
    expires: undefined,
    ...terms,
  };
}
