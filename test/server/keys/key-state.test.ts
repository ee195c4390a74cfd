import { describe, expect, it } from 'vitest';
import type { KeyRecord } from '../../../server/keys/api-keys.ts';
import { isExpiry, readExpiry } from '../../../server/keys/expiry.ts';
import { refusalOf, stateOf } from '../../../server/keys/key-state.ts';
import { makeKeyTerms } from '../../kit/key-terms.ts';

const at = new Date('2026-05-01T00:00:00Z');
const past = new Date('2026-04-01T00:00:00Z');
const makeRecord = (fields: Partial<KeyRecord> = {}): KeyRecord => ({
  ...makeKeyTerms(),
  created: past,
  lastUsed: undefined,
  rotated: undefined,
  revoked: undefined,
  publisher: undefined,
  ...fields,
});

describe('why a key is refused', () => {
  it.each<[string, Partial<KeyRecord>, Date | undefined, string | undefined]>([
    ['nothing', {}, undefined, undefined],
    ['an old secret that still runs', {}, new Date('2026-05-02T00:00:00Z'), undefined],
    ['an old secret that has ended', {}, at, 'rotated'],
    ['an end that has come', { expires: at }, undefined, 'expired'],
    ['another network', { networks: ['10.0.0.0/8'] }, undefined, 'network'],
    ['an end, before a network', { networks: ['10.0.0.0/8'], expires: past }, undefined, 'expired'],
    ['a rotation, before an end', { expires: past }, past, 'rotated'],
    [
      'a revocation, before all else',
      { revoked: past, expires: past, networks: ['10.0.0.0/8'] },
      past,
      'revoked',
    ],
  ])('is %s', (_what, fields, ends, why) => {
    expect(refusalOf(makeRecord(fields), ends, { at, from: '192.0.2.1' })?.why).toBe(why);
  });
});

describe('the state of a key', () => {
  it.each<[Partial<KeyRecord>, string]>([
    [{}, 'active'],
    [{ expires: new Date('2026-05-15T00:00:00.001Z') }, 'active'],
    [{ expires: new Date('2026-05-15T00:00:00Z') }, 'expiring'],
    [{ expires: new Date('2026-05-01T00:00:00.001Z') }, 'expiring'],
    [{ expires: at }, 'expired'],
    [{ expires: past, revoked: past }, 'revoked'],
  ])('%j is %s', (fields, state) => {
    expect(stateOf(makeRecord(fields), at)).toBe(state);
  });
});

describe('an expiry', () => {
  it.each([
    ['90d', '2026-07-30T00:00:00.000Z'],
    ['12h', '2026-05-01T12:00:00.000Z'],
    ['2027-01-31T00:00:00Z', '2027-01-31T00:00:00.000Z'],
    ['2027-01-31T00:00:00.5+02:00', '2027-01-30T22:00:00.500Z'],
  ])('%s is %s', (text, time) => {
    expect(readExpiry(text, at)?.toISOString()).toBe(time);
  });

  it.each([
    ...['', 'never', '90', '-1d', '1.5d', '2027-01-31', '2027-02-30T00:00:00Z', '2027-01-31T00:00:00'],
    ...['9999-12-31T23:59:59-12:00', '10000-01-01T00:00:00Z', 'tomorrow', '9d '],
  ])('%j is invalid', (text) => {
    expect(isExpiry(text)).toBe(false);
  });
});
