import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStringPromise } from 'xml2js';
import type { PackageRow } from '../../../server/catalog/catalog.ts';
import { type Body, joinBody } from '../../../server/http/body.ts';
import { renderEntry, renderFeed, renderProperty } from '../../../server/odata/atom.ts';
import { feedLinks } from '../../../server/odata/links.ts';
import { feedProperties } from '../../../server/odata/properties.ts';
import { escapeXml } from '../../../server/odata/xml.ts';
import { bareRow, fullRow } from './rows.ts';

const links = feedLinks('https://feed.corp/go/', '/NuGet');
const bodyText = (body: Body) => String(joinBody(body));
const entryText = (row: PackageRow) => bodyText(renderEntry(row, links).text);
const golden = (name: string) => `../../golden/odata/${name}`;
/** One tag a line, for those who read the golden files. */
const readable = (xml: string) => `${xml.replaceAll('><', '>\n<')}\n`;

describe('an Atom entry', () => {
  it('has everything that clients read', async () => {
    await expect(readable(entryText(fullRow))).toMatchFileSnapshot(golden('entry.xml'));
  });

  it('has nulls only where clients accept them, and the date by which they recognize an unlisted version', async () => {
    await expect(readable(entryText(bareRow))).toMatchFileSnapshot(golden('entry-bare.xml'));
  });

  it('is well-formed XML that returns every text, whatever a package contains', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        const description = `x${text}x`;
        const row = { ...fullRow, nuspec: { ...fullRow.nuspec, description, summary: text, title: text } };
        const { entry } = await parseStringPromise(entryText(row), { explicitCharkey: true });
        const found = entry['m:properties'][0]['d:Description'][0]._;
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids
        expect(found).toBe(description.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\u{fffd}'));
      }),
    );
  });
});

describe('an Atom feed', () => {
  it('contains its entries, the count and the next link', async () => {
    const { text } = await renderFeed(
      {
        title: 'Search',
        rows: [fullRow, bareRow],
        total: 250,
        next: () => "https://feed.corp/go/nuget/Search()?searchTerm='a'&$skip=100",
      },
      links,
    );
    await expect(readable(bodyText(text))).toMatchFileSnapshot(golden('feed.xml'));
  });

  it('is valid when it is empty', async () => {
    const { text } = await renderFeed({ title: 'FindPackagesById', rows: [] }, links);
    await expect(readable(bodyText(text))).toMatchFileSnapshot(golden('feed-empty.xml'));
  });

  it('ends with the entry that makes it too long, and links to the rest', async () => {
    const rows = Array.from({ length: 20 }, () => fullRow);
    const one = entryText(fullRow).length;
    const next = (shown: number) =>
      shown < rows.length ? `https://feed.corp/go/rest-after-${shown}` : undefined;
    for (const [maxCharacters, shown] of [
      [0, 1],
      [5 * one, 6],
      [100 * one, 20],
    ] as const) {
      const { text } = await renderFeed({ title: 'Search', rows, next }, links, maxCharacters);
      expect(bodyText(text).match(/<entry>/g)?.length).toBeLessThanOrEqual(shown);
      const count = bodyText(text).match(/<entry>/g)?.length ?? 0;
      expect(count).toBeGreaterThanOrEqual(shown - 1 || 1);
      expect(bodyText(text).includes(`/rest-after-${count}"`)).toBe(count < 20);
    }
  });

  it('is the same in pieces', async () => {
    const description = 'ä & 😀 '.repeat(30_000);
    const long = { ...fullRow, nuspec: { ...fullRow.nuspec, description } };
    const { text } = await renderFeed(
      { title: 'Search', rows: Array.from({ length: 8 }, () => long) },
      links,
    );
    expect(text).not.toHaveLength(1);
    const entry = entryText(long);
    const content = entry.slice(entry.indexOf('<id>'), entry.lastIndexOf('</entry>'));
    expect(bodyText(text).split(content)).toHaveLength(9);
    expect(bodyText(text)).not.toContain('\ufffd');
    expect(bodyText(text)).toMatch(/<\/entry><\/feed>$/);
  });
});

describe('the properties', () => {
  it('are never null where WCF does not accept it', () => {
    const entry = entryText(bareRow);
    for (const { name } of feedProperties.filter(({ isNullable }) => !isNullable)) {
      expect(entry).not.toMatch(new RegExp(`<d:${name} [^>]*m:null`));
    }
  });

  it('can each be a document', () => {
    expect(renderProperty('Id', 'a&b')).toBe(
      '<?xml version="1.0" encoding="utf-8"?><Id xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices">a&amp;b</Id>',
    );
  });
});

describe('text in XML', () => {
  it.each([
    ['plain', 'plain'],
    [`<a href="x">&'</a>`, `&lt;a href=&quot;x&quot;&gt;&amp;'&lt;/a&gt;`],
    ['a\r\nb\tc', 'a&#xD;\nb\tc'],
    ['\u0000\u0008\u001f', '\u{fffd}\u{fffd}\u{fffd}'],
    ['\ud800x\udc00', '\u{fffd}x\u{fffd}'],
    ['\u{1f41e}', '\u{1f41e}'],
    ['\ufffe\uffff', '\u{fffd}\u{fffd}'],
  ])('%j becomes %j', (text, xml) => {
    expect(escapeXml(text)).toBe(xml);
  });
});

describe('the identity of a document', () => {
  const texts = fc.constantFrom(undefined, 'one', 'two');
  const dates = fc.constantFrom(new Date('2026-01-02T03:04:05.678Z'), new Date('2026-01-02T03:04:05.679Z'));
  const counts = fc.constantFrom(0, 7, 3_000_000_000, 4_000_000_000);
  const rows = fc
    .record(
      {
        id: fc.constantFrom('delve', 'Delve'),
        version: fc.constantFrom('1.0', '1.0.0'),
        normalizedVersion: fc.constantFrom('1.0.0', '1.0.1'),
        isPrerelease: fc.boolean(),
        isListed: fc.boolean(),
        isLatest: fc.boolean(),
        isAbsoluteLatest: fc.boolean(),
        sha512: fc.constantFrom('ab'.repeat(64), 'cd'.repeat(64)),
        sizeBytes: counts,
        created: dates,
        published: dates,
        lastEdited: dates,
        downloads: counts,
        versionDownloads: counts,
        nuspec: fc
          .record({ title: texts, summary: texts, releaseNotes: texts, icon: texts, iconUrl: texts })
          .map((said) => ({ ...fullRow.nuspec, ...said }) as PackageRow['nuspec']),
      },
      { requiredKeys: [] },
    )
    .map((changes): PackageRow => ({ ...fullRow, ...changes }));
  const places = fc.constantFrom(links, feedLinks('https://feed.corp/go/', '/api/v2'));

  it('is the same for the same entry, and for no other', () => {
    fc.assert(
      fc.property(rows, rows, places, places, (one, other, here, there) => {
        const [made, others] = [renderEntry(one, here), renderEntry(other, there)];
        const isSame = joinBody(made.text).equals(joinBody(others.text));
        expect(made.identity === others.identity).toBe(isSame);
      }),
      { numRuns: 500 },
    );
  });

  it('is the same for the same feed, and for no other', async () => {
    const few = fc.constantFrom(fullRow, bareRow, { ...fullRow, isListed: false });
    const feeds = fc.record({
      title: fc.constantFrom('Packages', 'Search'),
      rows: fc.array(few, { maxLength: 2 }),
      total: fc.constantFrom(undefined, 0, 3),
      next: fc.constantFrom(
        () => undefined,
        () => 'https://feed.corp/go/nuget/Packages()?$skip=1',
      ),
    });
    await fc.assert(
      fc.asyncProperty(feeds, feeds, places, places, async (one, other, here, there) => {
        const [made, others] = [await renderFeed(one, here), await renderFeed(other, there)];
        expect(made.identity === others.identity).toBe(joinBody(made.text).equals(joinBody(others.text)));
      }),
      { numRuns: 500 },
    );
  });
});
