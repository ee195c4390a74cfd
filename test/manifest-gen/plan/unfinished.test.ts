import { describe, expect, it } from 'vitest';
import { findUnfinished } from '../../../manifest-gen/plan/unfinished.ts';
import { unfinishedInWords } from '../../../manifest-gen/report/unfinished.ts';

describe('findUnfinished', () => {
  it.each([
    // feed (! is unlisted), main, beta -> what is half done
    ['', undefined, undefined, []],
    ['1.22.0-beta.1', undefined, '1.22.0-beta.1', []],
    ['1.22.0-beta.1 1.22.0', '1.22.0', '1.22.0', []],
    ['1.22.0 1.23.0-beta.1', '1.22.0', '1.23.0-beta.1', []],
    ['1.22.0! 1.22.0.1', '1.22.0.1', '1.22.0.1', []],
    // pushed by hand: no business of the release train
    ['2.0.0-rc.1 1.22.0', '1.22.0', '1.22.0', []],
    [
      '1.22.0-beta.1 1.22.0!',
      '1.22.0',
      '1.22.0',
      [
        '1.22.0 was withdrawn, main still offers it: `release:withdraw delve@1.22.0 --reason TEXT --to OLDER` finishes the withdrawal, where OLDER is a good version of upstream; or release and promote a newer one',
      ],
    ],
    [
      '1.22.0-beta.1',
      undefined,
      undefined,
      ['the feed has 1.22.0-beta.1, beta offers nothing: `release:beta delve@1.22.0` finishes the release'],
    ],
    [
      '1.21.2 1.22.0-beta.1 1.22.0',
      '1.21.2',
      '1.22.0-beta.1',
      ['the feed has 1.22.0, main offers 1.21.2: `release:promote delve@1.22.0` finishes the promotion'],
    ],
    [
      '1.22.0 1.23.0-beta.2! 1.23.0-beta.1',
      '1.22.0',
      '1.23.0-beta.2',
      [
        '1.23.0-beta.2 was withdrawn, beta still offers it: `release:withdraw delve@1.23.0-beta.2 --reason TEXT` finishes the withdrawal',
      ],
    ],
    ...['1.21.2 1.22.0!', '1.21.2 1.22.0! 1.22.0.1-beta.1', '1.21.2 1.22.0! 1.22.0.1-beta.1 1.22.0.1'].map(
      (feed) =>
        [
          feed,
          '1.22.0',
          '1.22.0',
          [
            '1.22.0 was withdrawn, main still offers it: `release:withdraw delve@1.22.0 --reason TEXT` finishes the withdrawal',
          ],
        ] as const,
    ),
  ] as const)('with %s on the feed, %s on main and %s on beta: %j', (feed, main, beta, expected) => {
    const packages = feed.split(' ').map((text) => ({
      version: text.replace('!', ''),
      isListed: !text.endsWith('!'),
    }));

    const found = findUnfinished({ packages, main, beta });

    expect(found.map((one) => unfinishedInWords('delve', one))).toEqual(expected);
  });
});
