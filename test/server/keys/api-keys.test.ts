import { describe, expect, it } from 'vitest';
import { allows, type Principal, type Scope, scopes } from '../../../server/keys/api-keys.ts';

describe('what a key may do', () => {
  const principal = (held: readonly Scope[], ids: readonly string[] = []): Principal => ({
    keyId: '1',
    name: 'test',
    scopes: held,
    ids,
  });

  it.each<[Scope[], Scope[]]>([
    [[], []],
    [['read'], ['read']],
    [['push:beta'], ['push:beta']],
    [['push'], ['push:beta', 'push']],
    [['unlist'], ['unlist']],
    [
      ['read', 'unlist'],
      ['read', 'unlist'],
    ],
    [['rollout'], ['rollout']],
    [['approve'], ['approve']],
    [['alert'], ['alert']],
    [['admin'], [...scopes]],
  ])('with the scopes %j are the scopes %j', (held, allowed) => {
    expect(scopes.filter((scope) => allows(principal(held), scope))).toEqual(allowed);
  });

  it.each<[string[], string, boolean]>([
    [[], 'anything', true],
    [['delve'], 'delve', true],
    [['delve'], 'Delve', true],
    [['DELVE'], 'delve', true],
    [['delve'], 'delve2', false],
    [['delve'], 'my-delve', false],
    [['del*'], 'delve', true],
    [['*ve'], 'delve', true],
    [['*'], 'delve', true],
    [['d?lve'], 'delve', true],
    [['d?lve'], 'dlve', false],
    [['go.*'], 'go.tool', true],
    [['go.*'], 'goXtool', false],
    [['(a|b)+[c]$^\\'], 'a', false],
    [['buf', 'delve'], 'delve', true],
    [['buf', 'goreleaser'], 'delve', false],
  ])('with the ids %j covers %s: %s', (ids, id, expected) => {
    expect(allows(principal(['push'], ids), 'push', id)).toBe(expected);
    expect(allows(principal(['admin'], ids), 'unlist', id)).toBe(expected);
  });

  it('is undecided where no id is named, except to administer', () => {
    const limited = principal(['admin'], ['delve']);

    expect(allows(limited, 'push')).toBe(true);
    expect(allows(limited, 'admin')).toBe(false);
  });
});
