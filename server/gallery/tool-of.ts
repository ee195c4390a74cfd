import { openNupkg } from '../../formats/nupkg.ts';
import { ReleaseRecord } from '../../formats/release-record.ts';
import type { BlobReader } from '../blobs/blob-store.ts';
import type { PackageRow } from '../catalog/catalog.ts';

export type ToolOf = (row: Pick<PackageRow, 'sha256' | 'sizeBytes'>) => Promise<string | undefined>;

const Named = ReleaseRecord.pick({ tool: true });
const maxRecordBytes = 1024 * 1024;
const maxRemembered = 1000;

/**
 * The tool, and so the manifest, that a package belongs to by its own release record: its id may be another one (`packageId` of the tool's
 * file). Undefined for a package without a record. Each package is opened once: its bytes never change.
 */
export function createToolOf(blobs: Pick<BlobReader, 'readTo'>): ToolOf {
  const known = new Map<string, Promise<string | undefined>>();
  return (row) => {
    const tool = known.get(row.sha256) ?? readTool(blobs, row);
    known.set(row.sha256, tool);
    const [oldest] = known.keys();
    if (known.size > maxRemembered && oldest !== undefined) known.delete(oldest);
    return tool;
  };
}

async function readTool(
  blobs: Pick<BlobReader, 'readTo'>,
  { sha256, sizeBytes }: Pick<PackageRow, 'sha256' | 'sizeBytes'>,
): Promise<string | undefined> {
  const source = {
    sizeBytes,
    async read(target: Buffer, position: number): Promise<number> {
      const end = Math.min(position + target.length, sizeBytes) - 1;
      if (end < position) return 0;
      let filled = 0;
      await blobs.readTo(sha256, { start: position, end }, async (piece) => {
        filled += piece.copy(target, filled);
      });
      return filled;
    },
    close: async () => undefined,
  };
  try {
    const nupkg = await openNupkg(source);
    return Named.parse(JSON.parse((await nupkg.readEntry('tools/release.json', maxRecordBytes)).toString()))
      .tool;
  } catch {
    // made elsewhere, without a record; a page is shown whatever is wrong with it
    return undefined;
  }
}
