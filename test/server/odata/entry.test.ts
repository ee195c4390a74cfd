import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PackageRow } from '../../../server/catalog/catalog.ts';
import { createPartCache, type PartCache } from '../../../server/http/part-cache.ts';
import { entryOf } from '../../../server/odata/entry.ts';
import { feedLinks } from '../../../server/odata/links.ts';
import { bareRow, fullRow } from './rows.ts';

const places = ['https://feed.corp', 'https://other.corp/a&b'].flatMap((root) =>
  ['/nuget', '/api/v2'].map((mount) => feedLinks(root, mount)),
);

describe('an entry that is rendered once', () => {
  const dates = fc.constantFrom(new Date('2026-01-02T03:04:05.678Z'), new Date('2026-01-02T03:04:05.679Z'));
  const counts = fc.constantFrom(0, 7, 12_345, 4_000_000_000);
  const nuspecs = fc.constantFrom(
    fullRow.nuspec,
    bareRow.nuspec,
    { ...fullRow.nuspec, description: 'ä & 😀' },
    { ...bareRow.nuspec, icon: 'icon.png', license: { type: 'file', text: 'LICENSE' } as const },
  );
  const rows = fc.record({
    id: fc.constantFrom('delve', 'Delve'),
    version: fc.constantFrom('1.0', '1.0.0', '1.0.0+ü'),
    normalizedVersion: fc.constantFrom('1.0.0', '1.0.1'),
    isPrerelease: fc.boolean(),
    isListed: fc.boolean(),
    isLatest: fc.boolean(),
    isAbsoluteLatest: fc.boolean(),
    sha256: fc.constant('ab'.repeat(32)),
    sha512: fc.constantFrom('ab'.repeat(64), 'cd'.repeat(64)),
    sizeBytes: counts,
    created: dates,
    published: dates,
    lastEdited: dates,
    downloads: counts,
    versionDownloads: counts,
    nuspec: nuspecs,
  });

  it('equals one that is rendered for each answer, whatever was rendered before', () => {
    const cache = createPartCache(64 * 1024);
    const none = createPartCache(0);
    fc.assert(
      fc.property(fc.array(fc.tuple(rows, fc.constantFrom(...places)), { maxLength: 20 }), (asked) => {
        for (const [row, links] of asked) {
          const unknown = { ...row, nuspec: { ...row.nuspec } };
          const [once, anew] = [entryOf(row, links, cache), entryOf(unknown, links, none)];
          expect(String(once.content)).toBe(String(anew.content));
          expect(once.identity).toBe(anew.identity);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is not rendered again for another base or after a download', () => {
    const keys: string[] = [];
    const none = createPartCache(0);
    const [feed, api] = [feedLinks('https://feed.corp', '/nuget'), feedLinks('https://feed.corp', '/api/v2')];
    const noted = {
      get: (key: string, ...rest: [string[], () => string[]]) => {
        keys.push(key);
        return none.get(key, ...rest);
      },
    } as PartCache;
    const newest: PackageRow = { ...fullRow, isLatest: true };
    const downloaded: PackageRow = { ...newest, downloads: 5 };
    const made = [
      entryOf(newest, feed, noted),
      entryOf(downloaded, feed, noted),
      entryOf(newest, api, noted),
    ];
    expect(new Set(keys).size).toBe(1);
    expect(new Set(made.map(({ content }) => String(content))).size).toBe(3);
  });
});
