import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedError } from '../../../server/errors.ts';
import { readParameters } from '../../../server/v3/parameters.ts';

describe('the parameters of a v3 request', () => {
  it('are read whatever the case of their names', () => {
    const read = readParameters('/search?Q=a+b%26c&SKIP=7&preRelease=True&packageType=dotnettool');

    expect([
      read.text('q'),
      read.number('skip', 0),
      read.number('take', 20),
      read.isTrue('prerelease'),
    ]).toEqual(['a b&c', 7, 20, true]);
  });

  it.each([
    ['', 'semver1'],
    ['semVerLevel=', 'semver1'],
    ['semVerLevel=a', 'semver1'],
    ['semVerLevel=1.9.9', 'semver1'],
    ['semVerLevel=2.0.0', 'semver2'],
    ["semVerLevel='2.0.0'", 'semver2'],
    ['semverlevel=3.0.0-alpha', 'semver2'],
    ['semVerLevel=2.0.0-rc.1', 'semver2'],
  ])('show with %j the versions of %s (spec nuget-v2 12.3)', (query, view) => {
    expect(readParameters(`/search?${query}`).view).toBe(view);
  });

  it.each(['take=x', 'take=-1', 'skip=1.5', 'skip=99999999999', 'skip=%31%20', 'prerelease=yes'])(
    'are refused for %j',
    (query) => {
      const read = readParameters(`/search?${query}`);

      expect(() => [read.number('take', 1), read.number('skip', 1), read.isTrue('prerelease')]).toThrow(
        FeedError,
      );
    },
  );

  it.each(['q=%zz', 'q=%C3', 'q=a&Q=b', 'q=%C3&x=%A9'])('are refused for the text of %j', (query) => {
    const read = readParameters(`/search?${query}`);

    expect(() => read.text('q')).toThrow(FeedError);
  });

  it.each(['x=%zz', 'x=a&X=b', '%zz=1', 'supportedFramework=net48&supportedFramework=net10.0', '&&=&=1'])(
    'that nobody asks for break nothing: %j',
    (others) => {
      const read = readParameters(`/search?${others}&q=a`);

      expect([read.text('q'), read.number('take', 20), read.view]).toEqual(['a', 20, 'semver1']);
    },
  );

  it('keep all values of a name that may be given more than once', () => {
    const read = readParameters('/search?packageType=Template&q=x&PackageType=dotnet%54ool&packagetype=');

    expect(read.texts('packageType')).toEqual(['Template', 'dotnetTool', '']);
  });

  it('read a raw plus sign as the client means it', () => {
    expect(readParameters('/search?q=c++%2B+d').text('q')).toBe('c  + d');
    expect(readParameters('/search?q=c++%2B%20d', '+').text('q')).toBe('c+++ d');
  });

  it('give back any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(readParameters(`/search?q=${encodeURIComponent(text)}`).text('q')).toBe(text);
      }),
    );
  });

  it('answer any request with values or with one kind of error', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^(?:[qQ]=[a-c%&=+]{0,6}|.{0,9})$/), (query) => {
        try {
          const read = readParameters(`/search?${query}`);
          expect(['semver1', 'semver2']).toContain(read.view);
          expect(typeof read.text('q')).toBe('string');
        } catch (error) {
          expect(error).toMatchObject({ code: 'QUERY_INVALID' });
        }
      }),
    );
  });
});
