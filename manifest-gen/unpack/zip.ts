import type { Readable } from 'node:stream';
import type { Entry } from 'yauzl';
import { Fault } from '../../errors/fault.ts';
import { FormatError } from '../../formats/format-error.ts';
import { streamContent } from '../../formats/zip-content.ts';
import { readDirectory, zipLimits } from '../../formats/zip-directory.ts';
import { type OpenZip, openZip } from '../../formats/zip-file.ts';
import { faultFrom, isLicense, type ReadArchive, textOf } from './archive.ts';

const expected = 'a zip archive that is safe to unpack';

/** One exe and the licence out of a zip that is checked as a whole before, as a pushed package is. */
export const readZip: ReadArchive = async (path, { member, onMember, limits }) => {
  const opened = await openZip(path).catch((error: unknown) => {
    throw explained(error);
  });
  try {
    const { maxEntries } = limits;
    const entries = await readDirectory(opened, { ...zipLimits, maxEntries, hasEncodedNames: false });
    const exe = entries.find((entry) => entry.fileName === member);
    if (exe === undefined) {
      const exes = entries.map(({ fileName }) => fileName).filter((name) => /\.exe$/i.test(name));
      throw new Fault(`${member} in the archive`, exes.slice(0, 5).join(', ') || 'no exe');
    }
    await onMember(await openEntry(opened, exe, limits.maxExeBytes));
    const license = entries.find(({ fileName }) => isLicense(fileName));
    if (license === undefined) return {};
    return { licenseText: await textOf(await openEntry(opened, license, limits.maxLicenseBytes)) };
  } catch (error) {
    throw explained(error);
  } finally {
    await opened.close();
  }
};

function openEntry({ zip }: OpenZip, entry: Entry, maxBytes: number): Promise<Readable> {
  if (entry.uncompressedSize > maxBytes) {
    throw new Fault(`${entry.fileName} of at most ${maxBytes} bytes`, `${entry.uncompressedSize}`);
  }
  return streamContent(zip, entry);
}

/** The sentence of the check becomes what was found: `... found the zip entries "a" and "A" would be the same file on Windows`. */
function explained(error: unknown): unknown {
  if (!(error instanceof FormatError)) return faultFrom(error, expected);
  const found = `${error.message.charAt(0).toLowerCase()}${error.message.slice(1).replace(/\.$/, '')}`;
  return new Fault(expected, `that ${found}`, error);
}
