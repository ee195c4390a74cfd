import { describe, expect, it } from 'vitest';
import { releasedAs } from '../../../manifest-gen/plan/same-files.ts';

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];

describe('releasedAs', () => {
  it.each([
    ['nothing was released', [], undefined],
    ['other bytes were', [{ version: '1.26.2', hashes: [b] }], undefined],
    ['the same version was, as a beta', [{ version: '1.26.3-beta.1', hashes: [a, b] }], undefined],
    [
      'an older version was',
      [
        { version: '1.26.2', hashes: [b, a] },
        { version: '1.26.2-beta.1', hashes: [a] },
      ],
      '1.26.2-beta.1',
    ],
    [
      'a withdrawal went back to it',
      [
        { version: '1.26.4.1', hashes: [a] },
        { version: '1.26.3', hashes: [a] },
      ],
      undefined,
    ],
  ])('when %s', (_what, released, expected) => {
    expect(releasedAs([a], '1.26.3', released)).toBe(expected);
  });
});
