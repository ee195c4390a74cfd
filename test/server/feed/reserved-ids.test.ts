import { describe, expect, it } from 'vitest';
import { requireOwner } from '../../../server/feed/reserved-ids.ts';
import type { Scope } from '../../../server/keys/api-keys.ts';
import { makeKey, pushNupkg, startHouse } from '../../kit/house.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { holder } from './room.ts';

describe('reserved ids', () => {
  it.each<[string, string, Scope, readonly string[], 'taken' | 'refused']>([
    ['acme.*', 'acme.tool', 'push', ['acme.*'], 'taken'],
    ['acme.*', 'ACME.Tool', 'push', ['Acme.T*'], 'taken'],
    ['acme.*', 'acme.tool', 'push:beta', ['acme.tool'], 'taken'],
    ['acme.*', 'acme.tool', 'push', ['other', 'acme.*'], 'taken'],
    ['acme.*', 'acme.tool', 'admin', [], 'taken'],
    ['acme.*', 'other', 'push', [], 'taken'],
    ['acme.*', 'acme', 'push', [], 'taken'],
    ['acme.*', 'acmetool', 'push', [], 'taken'],
    ['delve', 'delve', 'push', ['delve'], 'taken'],
    ['acme.*', 'acme.tool', 'push', [], 'refused'],
    ['acme.*', 'acme.tool', 'push', ['*'], 'refused'],
    ['acme.*', 'acme.tool', 'push', ['a*'], 'refused'],
    ['acme.*', 'acme.tool', 'push', ['acme*'], 'refused'],
    ['acme.*', 'acme.tool', 'push', ['?cme.tool'], 'refused'],
    ['acme.*', 'acme.tool', 'push', ['acme.other', '*'], 'refused'],
    ['acme.*', 'acme.tool', 'admin', ['*'], 'refused'],
    ['delve', 'Delve', 'push', ['delve*'], 'refused'],
  ])('%s: %s from a key %s for %j is %s', (reserved, id, scope, ids, outcome) => {
    const pushing = () => requireOwner(['unrelated', reserved], id, holder(scope, ...ids));

    if (outcome === 'taken') expect(pushing).not.toThrow();
    else expect(pushing).toThrow(expect.objectContaining({ code: 'ID_RESERVED', status: 403 }));
  });

  it('are told of in the reason phrase, and nothing is kept', async () => {
    const house = await startHouse({ reservedIds: ['acme.*'] });
    const anybody = await makeKey(house, ['push']);
    const owner = await makeKey(house, ['push'], ['acme.*']);
    const nupkg = makeNupkg({ id: 'Acme.Tool' });

    const refused = await pushNupkg(house, nupkg, anybody);
    const taken = await pushNupkg(house, nupkg, owner, '/api/v2/package/');

    expect([refused.status, refused.statusText]).toEqual([
      403,
      'The id Acme.Tool is reserved (acme.*): publishing it takes a key that is limited to such ids (rule reserved-ids).',
    ]);
    expect(taken.status).toBe(201);
    expect((await pushNupkg(house, makeNupkg({ id: 'free' }), anybody)).status).toBe(201);
    await house.stop();
  });
});
