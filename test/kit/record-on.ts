import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openNupkg } from '../../formats/nupkg.ts';
import { parseReleaseRecord, type ReleaseRecord } from '../../formats/release-record.ts';
import { makeTempDir, type TestServer } from './test-server.ts';

/** The record in a package that a feed has. */
export async function recordOn({ url }: TestServer, id: string, version: string): Promise<ReleaseRecord> {
  const answer = await fetch(`${url}/nuget/package/${id}/${version}`);
  const file = join(await makeTempDir(), 'package.nupkg');
  await writeFile(file, Buffer.from(await answer.arrayBuffer()));
  const nupkg = await openNupkg(file);
  try {
    return parseReleaseRecord((await nupkg.readEntry('tools/release.json', 1e6)).toString());
  } finally {
    await nupkg.close();
  }
}
