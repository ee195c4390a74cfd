import fc from 'fast-check';
import { rcompare } from 'semver';
import { describe, expect, it } from 'vitest';
import { isPlainVersion } from '../../../manifest-gen/tool-file/version-rules.ts';

describe('a plain version', () => {
  it.each(['0.0.0', '1.22.0', '2024.1.2', '9007199254740991.0.0'])('is %s', (text) => {
    expect(isPlainVersion(text)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['two numbers', '1.2'],
    ['a tag', 'v1.2.3'],
    ['a prerelease', '1.2.3-rc1'],
    ['a date with zeros before', '2024.01.02'],
    ['a number beyond 2^53', '9007199254740993.0.0'],
    ['longer than any', `1.2.${'3'.repeat(300)}`],
    ['more than one line', '1.2.3\n'],
  ])('is not %s', (_, text) => {
    expect(isPlainVersion(text)).toBe(false);
  });

  it('can always be put in order', () => {
    const number = fc.oneof(fc.nat(), fc.stringMatching(/^\d{1,20}$/));
    const version = fc.tuple(number, number, number).map((numbers) => numbers.join('.'));
    fc.assert(
      fc.property(fc.array(version), (versions) => {
        versions.filter(isPlainVersion).sort(rcompare);
      }),
    );
  });
});
