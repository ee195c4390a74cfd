import { describe, expect, it } from 'vitest';
import { addressesInScripts } from '../../formats/install-scripts.ts';
import { openNupkg } from '../../formats/nupkg.ts';
import { sourceOfBytes } from '../../formats/zip-file.ts';
import { makeNupkg } from '../kit/nupkg.ts';

async function addressesOf(files: Readonly<Record<string, string | Buffer>>): Promise<readonly string[]> {
  const nupkg = await openNupkg(sourceOfBytes(makeNupkg({ files })));
  try {
    return await addressesInScripts(nupkg);
  } finally {
    await nupkg.close();
  }
}

const install = 'tools/chocolateyInstall.ps1';

describe('addresses in the scripts of a package', () => {
  it.each([
    [
      "Install-ChocolateyPackage 'x' 'exe' '/S' 'https://dl.example.org/x.exe'",
      ['https://dl.example.org/x.exe'],
    ],
    ['$url = "http://dl.example.org/$version/x.zip"; $b = 1', ['http://dl.example.org/$version/x.zip']],
    ['Get-WebFile FTP://old.example.org/x.msi', ['FTP://old.example.org/x.msi']],
    ["iwr('https://a.example/1'); iwr 'https://b.example/2'", ['https://a.example/1', 'https://b.example/2']],
    ['# see https://docs.example.org\n  # and https://x.example\nInstall-ChocolateyInstallPackage $file', []],
    ['<# https://a.example\nhttps://b.example #>\n$x = "https://c.example/"', ['https://c.example/']],
    ['<# never closed https://a.example', []],
    ['"https://a.example/\u001b[2J"', ['https://a.example/']],
    ['Install-ChocolateyInstallPackage -File "$toolsDir\\x.exe"', []],
  ])('%s', async (text, expected) => {
    expect(await addressesOf({ [install]: text })).toEqual(expected);
  });

  it('are found in every script below tools, also in UTF-16, and nowhere else', async () => {
    const found = await addressesOf({
      'tools/helpers/load.psm1': 'https://a.example/1',
      'tools/ChocolateyBeforeModify.PS1': Buffer.from('\ufeffhttps://b.example/2', 'utf16le'),
      'tools/readme.txt': 'https://c.example/3',
      'content/x.ps1': 'https://d.example/4',
    });

    expect(found.toSorted()).toEqual(['https://a.example/1', 'https://b.example/2']);
  });

  it('are at most twenty, from scripts of at most a mebibyte, in a moment whatever the text', async () => {
    const addressesOfText = (text: string) =>
      addressesInScripts({
        entries: [{ name: install, bytes: text.length, compressedBytes: 1, crc32: 0 }],
        readEntry: async () => Buffer.from(text),
      });
    const many = Array.from({ length: 5_000 }, (_, at) => `https://a.example/${at}`).join('\n');
    expect(await addressesOfText(many)).toHaveLength(20);
    expect(await addressesOfText(`https://a.example/${' '.repeat(1024 * 1024)}`)).toEqual([]);
    for (const part of ['<#', '\n', ' ', '#', 'https://', 'http:', '<', '.']) {
      expect((await addressesOfText(part.repeat(150_000))).length).toBeLessThan(2);
    }
  });
});
