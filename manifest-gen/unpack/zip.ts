import type { Readable } from 'node:stream';
import { Transform } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { openZip } from '../../formats/zip-file.ts';
import { faultFrom, isLicense, type ReadArchive, textOf, UnpackFault, type UnpackLimits } from './archive.ts';

const expected = 'a zip archive';

/** One exe and the licence out of a zip, by the zip's own table; names with `..` are refused by yauzl. */
export const readZip: ReadArchive = async (path, { member, onMember, limits }) => {
  const { zip, close } = await openZip(path).catch((error: unknown) => {
    throw faultFrom(error, expected);
  });
  try {
    const entries = await entriesOf(zip, limits);
    const [exe, ...more] = entries.filter((entry) => entry.fileName === member);
    if (exe === undefined) {
      const exes = entries.map(({ fileName }) => fileName).filter((name) => /\.exe$/i.test(name));
      throw new UnpackFault(`${member} in the archive`, exes.slice(0, 5).join(', ') || 'no exe');
    }
    if (more.length > 0) throw new UnpackFault(`${member} once`, `${more.length + 1} of it`);
    await onMember(await openEntry(zip, exe, limits.maxExeBytes));
    const license = entries.find(({ fileName }) => isLicense(fileName));
    if (license === undefined) return {};
    return { licenseText: await textOf(await openEntry(zip, license, limits.maxLicenseBytes)) };
  } catch (error) {
    throw faultFrom(error, expected);
  } finally {
    await close();
  }
};

function entriesOf(zip: ZipFile, { maxEntries, maxRatio }: UnpackLimits): Promise<Entry[]> {
  if (zip.entryCount > maxEntries) throw new UnpackFault(`at most ${maxEntries} files`, `${zip.entryCount}`);
  return new Promise((resolve, reject) => {
    const entries: Entry[] = [];
    zip.on('error', reject);
    zip.on('end', () => resolve(entries));
    zip.on('entry', (entry: Entry) => {
      if (entry.uncompressedSize > entry.compressedSize * maxRatio + 1024) {
        const ratio = Math.round(entry.uncompressedSize / Math.max(1, entry.compressedSize));
        reject(new UnpackFault(`files packed at most ${maxRatio} times`, `${entry.fileName} ${ratio} times`));
        return;
      }
      entries.push(entry);
      zip.readEntry();
    });
    zip.readEntry();
  });
}

function openEntry(zip: ZipFile, entry: Entry, maxBytes: number): Promise<Readable> {
  if (entry.uncompressedSize > maxBytes) {
    throw new UnpackFault(`${entry.fileName} of at most ${maxBytes} bytes`, `${entry.uncompressedSize}`);
  }
  if ((entry.generalPurposeBitFlag & 1) !== 0)
    throw new UnpackFault('an open file', `${entry.fileName} encrypted`);
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, bytes) => {
      if (error) return reject(error);
      const checked = checkCrc(entry);
      bytes.on('error', (cause) => checked.destroy(cause));
      return resolve(bytes.pipe(checked));
    });
  });
}

/** yauzl compares sizes; that the bytes are those that were packed, it leaves to us. */
function checkCrc(entry: Entry): Transform {
  let crc = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      crc = crc32(chunk, crc);
      callback(null, chunk);
    },
    flush(callback) {
      callback(
        crc === entry.crc32 ? null : new UnpackFault(`CRC ${entry.crc32} for ${entry.fileName}`, `${crc}`),
      );
    },
  });
}
