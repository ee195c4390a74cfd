import { describe, expect, it } from 'vitest';
import { checkRules } from '../../../server/feed/rules.ts';
import { makePackage, type NuspecParts } from '../../kit/new-package.ts';

describe('the rules of publication', () => {
  const check = (parts: Partial<NuspecParts>) =>
    checkRules(makePackage({ id: 'x', version: '1.0.0', ...parts }).nuspec);

  it.each<[string, Partial<NuspecParts>]>([
    ['a plain package', {}],
    ['a title of 256 characters', { title: 't'.repeat(256) }],
    ['a description of 4000 characters', { description: 'd'.repeat(4000) }],
    ['a minClientVersion of today', { minClientVersion: '6.4.1' }],
    ['a minClientVersion of old', { minClientVersion: '2.5' }],
  ])('let %s pass', (_what, parts) => {
    expect(() => check(parts)).not.toThrow();
  });

  it.each<[string, Partial<NuspecParts>, string]>([
    ['a title of 257 characters', { title: 't'.repeat(257) }, 'the title has 257 characters, at most 256'],
    [
      'a description of 4001 characters',
      { description: 'd'.repeat(4001) },
      'description has 4001 characters',
    ],
    ['a minClientVersion of tomorrow', { minClientVersion: '7.0' }, 'minClientVersion 7.0 is above 6.4.1'],
  ])('refuse %s, saying why', (_what, parts, problem) => {
    expect(() => check(parts)).toThrow(
      expect.objectContaining({ code: 'PACKAGE_INVALID', message: expect.stringContaining(problem) }),
    );
  });

  it('report everything that is wrong at once', () => {
    expect(() => check({ title: 't'.repeat(300), minClientVersion: '99.0' })).toThrow(
      /title has 300 .*; minClientVersion 99\.0/,
    );
  });
});
