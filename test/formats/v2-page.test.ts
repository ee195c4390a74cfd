import { describe, expect, it } from 'vitest';
import { FormatError } from '../../formats/format-error.ts';
import { readHash, readV2Page } from '../../formats/v2-page.ts';

const page = new URL('https://feed.example/nuget/Packages()?x=1');

function entry(properties: string, rest = '<title>Tool</title><content src="package/Tool/1.0.0"/>'): string {
  return `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:m="m" xmlns:d="d"><entry>${rest}<m:properties>${properties}</m:properties></entry></feed>`;
}

function readOne(text: string) {
  const { entries } = readV2Page(text, page);
  expect(entries).toHaveLength(1);
  return entries[0]!;
}

describe('an entry of a v2 feed', () => {
  it.each([
    ['nothing about it', '', true],
    ['Listed true', '<d:Listed m:type="Edm.Boolean">true</d:Listed>', true],
    ['Listed false', '<d:Listed>false</d:Listed><d:Published>2020-01-01T00:00:00</d:Published>', false],
    ['published in 1900', '<d:Published>1900-01-01T00:00:00</d:Published>', false],
    ['published in 1900, west of Greenwich', '<d:Published>1900-01-01T00:00:00-08:00</d:Published>', false],
    ['published since', '<d:Published>2020-01-01T00:00:00.1234567Z</d:Published>', true],
    ['Listed before 1900', '<d:Listed>true</d:Listed><d:Published>1900-01-01T00:00:00</d:Published>', true],
  ])('with %s is listed or not', (_name, properties, isListed) => {
    expect(readOne(entry(`<d:Version>1.0.0</d:Version>${properties}`)).isListed).toBe(isListed);
  });

  it.each([
    ['its own name for the id', '<d:Id>tool</d:Id><d:Version>1.0.0</d:Version>', 'tool', '1.0.0'],
    ['the title alone', '<d:Version>1.0.0-beta</d:Version>', 'Tool', '1.0.0-beta'],
    ['the normalized version alone', '<d:NormalizedVersion>1.2.0</d:NormalizedVersion>', 'Tool', '1.2.0'],
  ])('is named by %s', (_name, properties, id, version) => {
    expect(readOne(entry(properties))).toMatchObject({ id, version });
  });

  it.each([
    ['no version', ''],
    ['no version that is one', '<d:Version>latest</d:Version>'],
    ['an id that is a path', '<d:Id>../../etc</d:Id><d:Version>1.0.0</d:Version>'],
    ['an id that clears the screen', '<d:Id>a b&#155;2J</d:Id><d:Version>1.0.0</d:Version>'],
  ])('with %s names no package, and is reported without control characters', (_name, properties) => {
    const { entries, unnamed } = readV2Page(entry(properties), page);

    expect(entries).toEqual([]);
    expect(unnamed).toHaveLength(1);
    expect(unnamed[0]).toMatch(/^[\x20-\x7e]*$/);
  });

  it.each([
    ['relative to the page', 'package/Tool/1', '', 'https://feed.example/nuget/package/Tool/1'],
    [
      'relative to a base',
      'package/Tool/1',
      ' xml:base="/other/"',
      'https://feed.example/other/package/Tool/1',
    ],
    ['elsewhere', 'https://cdn.example/x.nupkg?sig=1', '', 'https://cdn.example/x.nupkg?sig=1'],
    ['its own host in plain http', 'http://feed.example:80/x', '', 'https://feed.example/x'],
    ['with a password', 'https://me:secret@cdn.example/x', '', 'https://cdn.example/x'],
    ['a file', 'file:///etc/passwd', '', undefined],
    ['nothing', '', '', undefined],
  ])('has its bytes %s', (_name, src, base, expected) => {
    const text = entry('<d:Version>1</d:Version>', `<title>Tool</title><content src="${src}"/>`);
    const { content } = readOne(text.replace('<entry>', `<entry${base}>`));

    expect(content?.href).toBe(expected);
  });

  it('may be the whole document, and have its properties inside the content', () => {
    const text =
      '<entry><title>Tool</title><content><properties><Version>1.0</Version><PackageSize>7</PackageSize></properties></content></entry>';

    expect(readOne(text)).toMatchObject({ id: 'Tool', version: '1.0', sizeBytes: 7 });
  });

  it('continues at the next link, wherever it is', () => {
    const next = '<link rel="next" href="Packages()?a=1&amp;$skiptoken=\'x\'"/>';
    const text = entry('<d:Version>1</d:Version>').replace('<entry>', `${next}<entry>`);

    expect(readV2Page(text, page).next?.href).toBe(
      'https://feed.example/nuget/Packages()?a=1&$skiptoken=%27x%27',
    );
  });

  it('with entities or without end is refused', () => {
    const bomb = '<!DOCTYPE feed [<!ENTITY a "aaaa">]><feed>&a;</feed>';

    expect(() => readV2Page(bomb, page)).toThrow(expect.objectContaining({ code: 'XML_DTD' }));
    expect(() => readV2Page('<feed><entry>', page)).toThrow(FormatError);
  });

  it.each([
    ['another document', '<html><body/></html>', 'found "html"'],
    ['a next link that leads nowhere', '<feed><link rel="next" href="javascript:x"/></feed>', 'next link'],
  ])('%s is not a page from which anything could be missing', (_name, text, problem) => {
    expect(() => readV2Page(text, page)).toThrow(problem);
  });

  // 190,000 entries in 16 MB once took 41 s; now reading ends where there are too many, in one pass.
  it('with endless entries is read up to the limit and not further', () => {
    const one = '<entry><m:properties><Id>a</Id><Version>1.0.0</Version></m:properties></entry>\n';
    const text = `<feed xmlns:m="m">\n${one.repeat(190_000)}</feed>`;

    // 4 elements an entry and one a line: the 500,001st is the last of the 125,001st line.
    expect(() => readV2Page(text, page)).toThrow(
      expect.objectContaining({
        code: 'XML_TOO_MANY',
        details: expect.objectContaining({ maxElements: 500_000, line: 125_001 }),
      }),
    );
  });

  it('of 20,000 entries, from a server without paging, is read completely', () => {
    const one = '<entry><m:properties><Id>a</Id><Version>1.0.0</Version></m:properties></entry>';

    expect(readV2Page(`<feed xmlns:m="m">${one.repeat(20_000)}</feed>`, page).entries).toHaveLength(20_000);
  });

  it('with endless nesting, or with more bytes than a page may have, is refused', () => {
    expect(() => readV2Page(`<feed>${'<a>'.repeat(100)}`, page)).toThrow(
      expect.objectContaining({ code: 'XML_TOO_DEEP' }),
    );
    expect(() => readV2Page(`<feed>${' '.repeat(64 * 1024 ** 2)}</feed>`, page)).toThrow(
      expect.objectContaining({ code: 'XML_TOO_LARGE' }),
    );
  });
});

describe('a hash that a feed announces', () => {
  it.each([
    [64, 'SHA512', 'sha512'],
    [64, '', 'sha512'],
    [64, 'SHA-512', 'sha512'],
    [32, 'SHA256', 'sha256'],
    [64, 'MD5', undefined],
    [64, 'SHA256', undefined],
    [16, 'MD5', undefined],
    [0, '', undefined],
  ])('of %i bytes, named %j, is understood as %s', (size, name, algorithm) => {
    const bytes = Buffer.alloc(size, 7);

    expect(readHash(bytes.toString('base64'), name)).toEqual(
      algorithm && { algorithm, hex: bytes.toString('hex') },
    );
  });
});
