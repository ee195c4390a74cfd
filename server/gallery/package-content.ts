import { pipeline } from 'node:stream/promises';
import { createDigester } from '../../formats/digest.ts';
import { type Nupkg, openNupkg } from '../../formats/nupkg.ts';
import { findNamedEntry, maxNamedFileBytes } from '../../formats/nupkg-files.ts';
import { ReleaseRecord } from '../../formats/release-record.ts';
import type { BlobReader } from '../blobs/blob-store.ts';
import type { PackageRow } from '../catalog/catalog.ts';
import { renderMarkdown } from './markdown.ts';
import { kindOfFiles, type PackageKind } from './package-kind.ts';

/** The content of a package, read only once because its bytes never change. */
export type PackageContent = {
  /** The tool named in the package's release record, whoever wrote that; undefined without a record. */
  toolOf(row: Stored): Promise<string | undefined>;
  /** SHA-256 of its exe, in lower-case hex; undefined unless there is exactly one. */
  exeSha256Of(row: Stored): Promise<string | undefined>;
  /** The kind of package that its files make. */
  kindOf(row: Stored): Promise<PackageKind | undefined>;
  /** Its readme as HTML that is safe to embed; undefined if it names none. */
  readmeOf(row: Stored & Pick<PackageRow, 'nuspec'>): Promise<string | undefined>;
};

type Stored = Pick<PackageRow, 'sha256' | 'sizeBytes'>;
type Blobs = Pick<BlobReader, 'readTo'>;
type Read<Value> = (nupkg: Nupkg) => Promise<Value | undefined>;

const Named = ReleaseRecord.pick({ tool: true });
const maxRecordBytes = 1024 * 1024;
const maxRemembered = 1000;
/** Readmes are long, and rendering the Markdown of some takes half a second. */
const maxRememberedReadmes = 50;

export function createPackageContent(blobs: Blobs): PackageContent {
  const readme = once(blobs, readReadme, maxRememberedReadmes);
  return {
    toolOf: once(blobs, readTool),
    exeSha256Of: once(blobs, hashExe),
    kindOf: once(blobs, async ({ entries }) => kindOfFiles(entries.map(({ name }) => name))),
    readmeOf: async (row) => (row.nuspec.readme === undefined ? undefined : readme(row)),
  };
}

function once<Value>(
  blobs: Blobs,
  read: Read<Value>,
  maxKept: number = maxRemembered,
): (row: Stored) => Promise<Value | undefined> {
  const known = new Map<string, Promise<Value | undefined>>();
  return (row) => {
    const answer = known.get(row.sha256) ?? readPackage(blobs, row, read);
    known.set(row.sha256, answer);
    const [oldest] = known.keys();
    if (known.size > maxKept && oldest !== undefined) known.delete(oldest);
    return answer;
  };
}

async function readTool(nupkg: Nupkg): Promise<string | undefined> {
  const text = (await nupkg.readEntry('tools/release.json', maxRecordBytes)).toString();
  return Named.parse(JSON.parse(text)).tool;
}

async function readReadme(nupkg: Nupkg): Promise<string | undefined> {
  const entry = findNamedEntry(nupkg.entries, nupkg.nuspec.readme ?? '');
  if (entry === undefined) return undefined;
  return renderMarkdown((await nupkg.readEntry(entry.name, maxNamedFileBytes)).toString());
}

async function hashExe(nupkg: Nupkg): Promise<string | undefined> {
  const [exe, ...others] = nupkg.entries.filter(({ name }) => /\.exe$/i.test(name));
  if (exe === undefined || others.length > 0) return undefined;
  const digester = createDigester();
  digester.resume();
  await pipeline(await nupkg.openEntry(exe.name), digester);
  return digester.digest().sha256;
}

async function readPackage<Value>(
  blobs: Blobs,
  { sha256, sizeBytes }: Stored,
  read: Read<Value>,
): Promise<Value | undefined> {
  const source = {
    sizeBytes,
    async read(target: Buffer, position: number): Promise<number> {
      const end = Math.min(position + target.length, sizeBytes) - 1;
      if (end < position) return 0;
      let filled = 0;
      await blobs.readTo(sha256, { start: position, end, of: sizeBytes }, async (piece) => {
        filled += piece.copy(target, filled);
      });
      return filled;
    },
    close: async () => undefined,
  };
  try {
    return await read(await openNupkg(source));
  } catch {
    // Made elsewhere, without a record. A page is shown whatever is wrong with it.
    return undefined;
  }
}
