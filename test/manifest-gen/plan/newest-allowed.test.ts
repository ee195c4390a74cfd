import { describe, expect, it } from 'vitest';
import { allowedVersions, isOldEnough } from '../../../manifest-gen/plan/newest-allowed.ts';

const now = new Date('2026-11-24T12:00:00Z');
const at = (version: string, published?: string) => ({
  version,
  published: published === undefined ? undefined : new Date(published),
});

describe('allowedVersions', () => {
  it('keeps the order, and only versions in the range', () => {
    const versions = [at('2.0.0'), at('1.26.3'), at('1.19.9')];

    expect(allowedVersions(versions, {}, now)).toEqual(['2.0.0', '1.26.3', '1.19.9']);
    expect(allowedVersions(versions, { versions: '>=1.20.0 <2.0.0' }, now)).toEqual(['1.26.3']);
  });

  it('leaves out versions that are too young, and keeps those without a date', () => {
    const versions = [at('3.0.0', '2026-11-24T11:00:00Z'), at('2.0.0'), at('1.0.0', '2026-11-21T12:00:00Z')];

    expect(allowedVersions(versions, { minAge: '3d' }, now)).toEqual(['2.0.0', '1.0.0']);
    expect(allowedVersions(versions, { minAge: '1h' }, now)).toEqual(['3.0.0', '2.0.0', '1.0.0']);
  });
});

describe('isOldEnough', () => {
  it('rejects a release of unknown age where an age is required', () => {
    expect(isOldEnough(undefined, { minAge: '1h' }, now)).toBe(false);
    expect(isOldEnough(undefined, {}, now)).toBe(true);
  });
});
