import type { Dirent } from 'node:fs';
import { lstat, open, readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { digestFile } from '../../formats/digest.ts';
import { type ExportIndex, exportIndexName, readExportIndex } from '../../formats/export-index.ts';
import { fileReason } from '../../formats/file-reason.ts';
import { FormatError, visible } from '../../formats/format-error.ts';
import { openNupkg } from '../../formats/nupkg.ts';
import { messageOf } from '../../formats/thrown.ts';
import { fail } from '../errors.ts';
import { matchesGlob } from '../keys/glob.ts';
import { isExact, isSkipped, type RemotePackage, type SkippedPackage, type Source } from './source.ts';

/**
 * A folder of nupkg files at any depth, with any names: the nuspec inside identifies them. Other feeds' layouts
 * (`id/version/id.version.nupkg`, a flat folder) work like any other folder. Links are not followed. The index of `feed:export`
 * adds what a file cannot say: whether the package is listed, and when it was published.
 */
export function createFolderSource(dir: string, { parallel = 16 } = {}): Source {
  async function* list(globs: readonly string[]): AsyncGenerator<RemotePackage | SkippedPackage> {
    const named = new Set(globs.filter(isExact));
    for await (const item of listAll()) {
      // The package of a skipped file is unknown.
      const fitting = isSkipped(item) ? globs : globs.filter((glob) => matchesGlob(glob, item.id));
      if (globs.length === 0 || fitting.length > 0) yield item;
      if (!isSkipped(item)) for (const glob of fitting) named.delete(glob);
    }
    for (const id of named)
      yield { from: id, kind: 'failed', reason: 'the source has no package of this id' };
  }

  async function* listAll(): AsyncGenerator<RemotePackage | SkippedPackage> {
    // A few are read at a time, and passed on in the order of their names, so that two runs do the same.
    const waiting: Promise<RemotePackage | SkippedPackage>[] = [];
    const root = await realpath(dir);
    const exported = await readExported(root);
    for await (const found of filesIn(root)) {
      waiting.push(
        typeof found === 'string' ? readOffer(found, exported.get(found)) : Promise.resolve(found),
      );
      if (waiting.length >= parallel)
        yield await (waiting.shift() as Promise<RemotePackage | SkippedPackage>);
    }
    for (const item of waiting) yield await item;
  }
  return { list };
}

type Exported = ExportIndex['packages'][number];

/** What an export's index says about its files, by path; empty if the folder is not an export. */
async function readExported(dir: string): Promise<ReadonlyMap<string, Exported>> {
  const file = join(dir, exportIndexName);
  // Reading a pipe with this name would wait forever.
  const isFile = (await lstat(file).catch(() => undefined))?.isFile() ?? false;
  const text = isFile ? await readFile(file, 'utf8').catch(() => '') : '';
  const packages = readExportIndex(text)?.packages ?? [];
  return new Map(packages.map((pkg) => [join(dir, pkg.file), pkg]));
}

/** `x.symbols.nupkg` and `x.snupkg` contain debug symbols, which this feed does not serve. */
const symbols = /\.(?:symbols\.nupkg|snupkg)$/i;

/** An unreadable folder inside (lost+found, System Volume Information) must not stop the others. */
async function* filesIn(top: string): AsyncGenerator<string | SkippedPackage> {
  yield* filesOf(top, await readdir(top, { withFileTypes: true }));
}

async function* filesOf(dir: string, entries: Dirent[]): AsyncGenerator<string | SkippedPackage> {
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      const inside = await readdir(path, { withFileTypes: true }).catch((error: Error) => error);
      if (inside instanceof Error) yield { from: visible(path), kind: 'failed', reason: inside.message };
      else yield* filesOf(path, inside);
    } else if (/\.s?nupkg$/i.test(entry.name)) yield path;
  }
}

async function readOffer(
  path: string,
  exported: Exported | undefined,
): Promise<RemotePackage | SkippedPackage> {
  const from = visible(path);
  if (symbols.test(path)) return { from, kind: 'skipped', reason: 'a package of debug symbols' };
  try {
    const stats = await lstat(path);
    if (!stats.isFile()) return { from, kind: 'skipped', reason: 'a link, or not a plain file' };
    const nupkg = await openNupkg(path);
    await nupkg.close();
    const { id, version } = nupkg.nuspec;
    return {
      id,
      version,
      isListed: exported?.listed ?? true,
      published: exported === undefined ? stats.mtime : new Date(exported.published),
      sizeBytes: stats.size,
      from,
      // Detects a file that has changed since it was exported.
      hash: async () => ({
        algorithm: 'sha512',
        hex: exported?.sha512 ?? (await digestFile(path)).sha512,
      }),
      open: () => openFile(path),
    };
  } catch (error) {
    const isOurs = error instanceof FormatError;
    return {
      from,
      kind: isOurs ? 'refused' : 'failed',
      reason: messageOf(error),
    };
  }
}

/** A file that vanished after it was listed, or a share that is gone, is an error of the source and may be temporary. */
async function openFile(path: string): Promise<Readable> {
  try {
    return (await open(path, 'r')).createReadStream();
  } catch (error) {
    return fail('SOURCE_UNREACHABLE', { url: visible(path), cause: fileReason(error) }, error);
  }
}
