import { describe, expect, it } from 'vitest';
import { nextOwnVersion } from '../../own-packages/next-version.ts';

const name = { what: 'this set of shims', verb: 'shims' };

describe('the version of a package of this product', () => {
  it.each([
    ['1.2.0', undefined, 'beta', '1.2.0-beta.1'],
    ['1.2.0', { version: '1.2.0-beta.1', isSame: true, isListed: true }, 'beta', undefined],
    ['1.2.0', { version: '1.2.0-beta.9', isSame: false, isListed: true }, 'beta', '1.2.0-beta.10'],
    ['1.2.0', { version: '1.2.0', isSame: true, isListed: true }, 'beta', undefined],
    ['1.2.0', { version: '1.2.0', isSame: false, isListed: true }, 'beta', '1.2.0.1-beta.1'],
    ['1.2.0', { version: '1.2.0.1', isSame: false, isListed: true }, 'beta', '1.2.0.2-beta.1'],
    ['1.3.0', { version: '1.2.0.1', isSame: true, isListed: true }, 'beta', '1.3.0-beta.1'],
    ['1.2.0', { version: '1.2.0-beta.2', isSame: false, isListed: false }, 'beta', '1.2.0-beta.3'],
    ['1.2.0', { version: '1.2.0', isSame: false, isListed: false }, 'beta', '1.2.0.1-beta.1'],
    ['1.2.0', { version: '1.2.0-beta.2', isSame: true, isListed: true }, 'main', '1.2.0'],
    ['1.2.0', { version: '1.2.0.1-beta.1', isSame: true, isListed: true }, 'main', '1.2.0.1'],
    ['1.2.0', { version: '1.2.0', isSame: true, isListed: true }, 'main', undefined],
  ] as const)('of product %s after %o on %s is %s', (product, newest, channel, next) => {
    expect(nextOwnVersion(product, newest, channel, name)).toBe(next);
  });

  it.each([undefined, { version: '1.2.0-beta.2', isSame: false, isListed: true }])(
    'does not exist on main after %o',
    (newest) => {
      expect(() => nextOwnVersion('1.2.0', newest, 'main', name)).toThrow('not on beta');
    },
  );

  it.each([
    ['1.2.0', 'beta', '1.2.0-beta.2'],
    ['1.2.0', 'main', '1.2.0-beta.2'],
    ['1.2.0', 'main', '1.2.0'],
    ['1.3.0', 'beta', '1.2.0'],
  ] as const)(
    'does not exist for product %s on %s when %s is these very bytes and was withdrawn',
    (product, channel, version) => {
      const newest = { version, isSame: true, isListed: false };

      expect(() => nextOwnVersion(product, newest, channel, name)).toThrow(`${version} was withdrawn`);
    },
  );
});
