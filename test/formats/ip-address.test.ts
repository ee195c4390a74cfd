import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInNetworks, isLoopbackAddress, isNetwork, plainAddress } from '../../formats/ip-address.ts';

describe('a network', () => {
  it.each([
    ...['10.0.0.0/8', '10.1.2.3', '0.0.0.0/0', '192.168.1.7/24', '2001:db8::/32', '::1', '::/0', 'fe80::/10'],
  ])('is %s', (text) => {
    expect(isNetwork(text)).toBe(true);
  });

  it.each([
    ...['', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/08', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0', '010.0.0.1'],
    ...['host', '::/129', 'fe80::1%eth0', '::ffff:10.0.0.0/104', '::FFFF:a00:1', ' 10.0.0.1', '*'],
  ])('is not %j', (text) => {
    expect(isNetwork(text)).toBe(false);
  });
});

describe('an address', () => {
  it.each([
    ['10.1.2.3', ['10.0.0.0/8'], true],
    ['11.1.2.3', ['10.0.0.0/8'], false],
    ['10.1.2.3', ['10.1.2.3'], true],
    ['10.1.2.4', ['10.1.2.3'], false],
    ['::ffff:10.1.2.3', ['10.0.0.0/8'], true],
    ['::FFFF:11.1.2.3', ['10.0.0.0/8'], false],
    ['10.1.2.3', ['::/0'], false],
    ['::ffff:10.1.2.3', ['::/0'], false],
    ['2001:db8::1', ['0.0.0.0/0'], false],
    ['2001:DB8:0:0::1', ['2001:db8::/32'], true],
    ['2001:db9::1', ['10.0.0.0/8', '2001:db8::/32'], false],
    ['fe80::1%eth0', ['fe80::/10'], true],
    ['', ['0.0.0.0/0', '::/0'], false],
    ['unknown', ['0.0.0.0/0', '::/0'], false],
    ['10.1.2.3', [], false],
  ])('%s in %j: %s', (address, networks, expected) => {
    expect(isInNetworks(address, networks)).toBe(expected);
  });

  it('is in its own network of any size, mapped into IPv6 or not', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, bits) => {
        expect(isInNetworks(address, [`${address}/${bits}`])).toBe(true);
        expect(isInNetworks(`::ffff:${address}`, [`${address}/${bits}`])).toBe(true);
        expect(plainAddress(`::ffff:${address}`)).toBe(address);
      }),
    );
  });

  it.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['10.0.0.1', false],
    ['::2', false],
  ])('%s is of this machine: %s', (address, expected) => {
    expect(isLoopbackAddress(address)).toBe(expected);
  });
});
