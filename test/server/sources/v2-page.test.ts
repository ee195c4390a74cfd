import { describe, expect, it } from 'vitest';
import { readHash, readV2Page } from '../../../server/sources/v2-page.ts';

const page = new URL('https://feed.example/nuget/Packages()?x=1');

function entry(properties: string, rest = '<title>Tool</title><content src="package/Tool/1.0.0"/>'): string {
  return `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:m="m" xmlns:d="d"><entry>${rest}<m:properties>${properties}</m:properties></entry></feed>`;
}

async function readOne(text: string) {
  const { entries } = await readV2Page(text, page);
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
  ])('with %s is listed or not', async (_name, properties, isListed) => {
    expect((await readOne(entry(`<d:Version>1.0.0</d:Version>${properties}`))).isListed).toBe(isListed);
  });

  it.each([
    ['its own name for the id', '<d:Id>tool</d:Id><d:Version>1.0.0</d:Version>', 'tool', '1.0.0'],
    ['the title alone', '<d:Version>1.0.0-beta</d:Version>', 'Tool', '1.0.0-beta'],
    ['the normalized version alone', '<d:NormalizedVersion>1.2.0</d:NormalizedVersion>', 'Tool', '1.2.0'],
  ])('is named by %s', async (_name, properties, id, version) => {
    expect(await readOne(entry(properties))).toMatchObject({ id, version });
  });

  it.each([
    ['no version', ''],
    ['no version that is one', '<d:Version>latest</d:Version>'],
    ['an id that is a path', '<d:Id>../../etc</d:Id><d:Version>1.0.0</d:Version>'],
    ['an id that clears the screen', '<d:Id>a b&#155;2J</d:Id><d:Version>1.0.0</d:Version>'],
  ])('with %s is strange, and is told without control characters', async (_name, properties) => {
    const { entries, strange } = await readV2Page(entry(properties), page);

    expect(entries).toEqual([]);
    expect(strange).toHaveLength(1);
    expect(strange[0]).toMatch(/^[\x20-\x7e]*$/);
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
  ])('has its bytes %s', async (_name, src, base, expected) => {
    const text = entry('<d:Version>1</d:Version>', `<title>Tool</title><content src="${src}"/>`);
    const { content } = await readOne(text.replace('<entry>', `<entry${base}>`));

    expect(content?.href).toBe(expected);
  });

  it('may be the whole document, and have its properties inside the content', async () => {
    const text =
      '<entry><title>Tool</title><content><properties><Version>1.0</Version><PackageSize>7</PackageSize></properties></content></entry>';

    expect(await readOne(text)).toMatchObject({ id: 'Tool', version: '1.0', sizeBytes: 7 });
  });

  it('goes on at the next link, wherever it stands', async () => {
    const next = '<link rel="next" href="Packages()?a=1&amp;$skiptoken=\'x\'"/>';
    const text = entry('<d:Version>1</d:Version>').replace('<entry>', `${next}<entry>`);

    expect((await readV2Page(text, page)).next?.href).toBe(
      'https://feed.example/nuget/Packages()?a=1&$skiptoken=%27x%27',
    );
  });

  it('with entities or without end is refused', async () => {
    const bomb = '<!DOCTYPE feed [<!ENTITY a "aaaa">]><feed>&a;</feed>';

    await expect(readV2Page(bomb, page)).rejects.toMatchObject({ code: 'XML_DTD' });
    await expect(readV2Page('<feed><entry>', page)).rejects.toMatchObject({ name: 'FormatError' });
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
