import type { Nupkg } from './nupkg.ts';

const maxScriptBytes = 1024 * 1024;
const maxScripts = 50;
const maxAddresses = 20;

/** What Chocolatey runs, and what such a script can call. */
const script = /^tools\/.*\.(ps1|psm1)$/i;
const comments = /<#[\s\S]*?(?:#>|$(?![\s\S]))|^[ \t]*#.*$/gm;
/** Printable ASCII, so that nothing else reaches a terminal. */
const address = /\b(?:https?|ftp):\/\/[!#-&*-+\--:=?-_a-{}~]+/gi;

/**
 * The addresses outside that the PowerShell scripts in `tools` name, such as those of installers that they download; comments do not
 * count. A reader's help and no proof: a script can put an address together, and may name one that it never asks. Larger scripts and
 * further ones are not read: those of a package are small and few.
 * @throws FormatError ZIP_* when a script is damaged
 */
export async function addressesInScripts({
  entries,
  readEntry,
}: Pick<Nupkg, 'entries' | 'readEntry'>): Promise<readonly string[]> {
  const scripts = entries.filter(({ name, bytes }) => script.test(name) && bytes <= maxScriptBytes);
  const found = new Set<string>();
  for (const { name } of scripts.slice(0, maxScripts)) {
    const text = decode(await readEntry(name, maxScriptBytes)).replace(comments, '');
    for (const [url] of text.matchAll(address)) {
      if (found.size < maxAddresses) found.add(url);
    }
  }
  return [...found];
}

/** PowerShell reads UTF-16 where a mark says so. */
function decode(bytes: Buffer): string {
  return bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.toString('utf16le') : bytes.toString('utf8');
}
