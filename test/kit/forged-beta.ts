import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { parseReleaseRecord, printReleaseRecord, type ReleaseRecord } from '../../formats/release-record.ts';
import { writeZip } from '../../formats/zip-writer.ts';
import { makeTempDir } from './test-server.ts';

export type Part = { readonly name: string; readonly content: Buffer };

/** A package of ours with other parts, packed as ours are: sizes and checksums of the zip are right. */
export async function packagedWith(
  nupkg: Buffer,
  change: (parts: readonly Part[]) => readonly Part[],
): Promise<Buffer> {
  const parts = new AdmZip(nupkg)
    .getEntries()
    .map((entry) => ({ name: entry.entryName, content: entry.getData() }));
  const path = join(await makeTempDir(), 'forged.nupkg');
  await writeZip(
    path,
    change(parts).map(({ name, content }) => ({ name, content: [content] })),
  );
  return readFile(path);
}

/** One text of it replaced. */
export function withText(name: string, change: (text: string) => string): (parts: readonly Part[]) => Part[] {
  return (parts) =>
    parts.map((part) =>
      part.name === name ? { name, content: Buffer.from(change(part.content.toString())) } : part,
    );
}

export function withRecord(change: (record: ReleaseRecord) => ReleaseRecord) {
  return withText('tools/release.json', (text) => printReleaseRecord(change(parseReleaseRecord(text))));
}
