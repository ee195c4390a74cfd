import { createReadStream } from 'node:fs';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Parser, type ReadEntry } from 'tar';
import { Fault } from '../../errors/fault.ts';
import { faultFrom, isLicense, type ReadArchive, textOf } from './archive.ts';

/** One exe and the licence out of a gzipped tarball; the rest is read past and never written anywhere. */
export const readTgz: ReadArchive = async (path, { member, onMember, limits }) => {
  const found: { exe?: Promise<void>; license?: Promise<string> } = {};
  const streams: PassThrough[] = [];
  let entries = 0;
  let bytes = 0;
  const onReadEntry = (entry: ReadEntry): void => {
    entries += 1;
    bytes += entry.size;
    const fault = faultOf(entry);
    if (fault !== undefined) parser.abort(fault);
    else if (entry.path === member) found.exe = orAbort(onMember(opened(entry)));
    else if (isWantedLicense(entry)) found.license = orAbort(textOf(opened(entry)));
    else entry.resume();
  };
  /** A full disk must end the reading too: the parser would wait for a reader that is gone. */
  const orAbort = <T>(work: Promise<T>): Promise<T> => {
    work.catch((error: unknown) => parser.abort(error instanceof Error ? error : new Error(String(error))));
    return work;
  };
  const opened = (entry: ReadEntry): Readable => {
    const stream = streamOf(entry);
    streams.push(stream);
    return stream;
  };
  const faultOf = (entry: ReadEntry): Fault | undefined => {
    if (entries > limits.maxEntries) return new Fault(`at most ${limits.maxEntries} files`, 'more');
    if (bytes > limits.maxExeBytes) return new Fault(`at most ${limits.maxExeBytes} bytes`, 'more');
    if (entry.path !== member) return undefined;
    if (found.exe !== undefined) return new Fault(`${member} once`, 'twice');
    // a link would make the bytes those of another file
    return entry.type === 'File' || entry.type === 'OldFile' ? undefined : new Fault('a file', entry.type);
  };
  const isWantedLicense = ({ path, size }: ReadEntry): boolean =>
    found.license === undefined && isLicense(path) && size <= limits.maxLicenseBytes;
  const parser = new Parser({ strict: true, maxDecompressionRatio: limits.maxRatio, onReadEntry });

  try {
    await pipeline(createReadStream(path), parser as unknown as NodeJS.WritableStream);
    await found.exe;
    const licenseText = await found.license;
    if (found.exe === undefined) throw new Fault(`${member} in the archive`, 'no such file');
    return { licenseText };
  } catch (error) {
    // an entry that the parser gave up never ends by itself
    for (const stream of streams) stream.destroy();
    await Promise.allSettled([found.exe, found.license]);
    throw faultFrom(error, 'a gzipped tarball');
  }
};

/** tar's entries are Minipass streams; Node's pipeline wants one of its own. */
function streamOf(entry: ReadEntry): PassThrough {
  const through = new PassThrough();
  entry.on('error', (error) => through.destroy(error instanceof Error ? error : undefined));
  entry.pipe(through);
  return through;
}
