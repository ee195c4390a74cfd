import { join } from 'node:path';
import { createDigester, type Digest } from '../../formats/digest.ts';
import { FormatError } from '../../formats/format-error.ts';
import { type Nupkg, openNupkg } from '../../formats/nupkg.ts';
import { parseReleaseRecord, type ReleaseRecord } from '../../formats/release-record.ts';
import { type Check, failed } from '../reverify/check.ts';
import { pipeToFile } from '../system/whole-file.ts';
import { exeName } from '../tool-file/payload-file.ts';
import type { Tool } from '../tool-file/tools.ts';

/** The contents of a package on the feed, read whole. */
export type PublishedPackage = {
  readonly path: string;
  readonly digest: Digest;
  readonly record: ReleaseRecord;
  readonly recordText: string;
  readonly nuspecText: string;
  readonly verificationText: string;
  readonly licenseText: string;
  /** `tools/EXE`, taken out. */
  readonly exe: { readonly path: string; readonly digest: Digest };
};

const maxTextBytes = 4 * 1024 * 1024;

/** Opens the package; one that cannot be read, or has no record, is a failed check, after which nothing can be compared. */
export async function readPackage(
  tool: Tool,
  version: string,
  file: { readonly path: string; readonly digest: Digest },
  workDir: string,
): Promise<PublishedPackage | Check> {
  const about = { what: 'package', subject: `${tool.packageId ?? tool.tool} ${version}` };
  try {
    const nupkg = await openNupkg(file.path);
    try {
      return { ...file, ...(await readParts(nupkg, tool, workDir)) };
    } finally {
      await nupkg.close();
    }
  } catch (error) {
    const reason = faultOf(error);
    if (reason === undefined) throw error;
    return failed(about, 'a whole package with its release record', reason);
  }
}

async function readParts(
  nupkg: Nupkg,
  tool: Tool,
  workDir: string,
): Promise<Omit<PublishedPackage, 'path' | 'digest'>> {
  const text = async (name: string): Promise<string> =>
    (await nupkg.readEntry(`tools/${name}`, maxTextBytes)).toString('utf8');
  const recordText = await text('release.json');
  const exePath = join(workDir, `held-${exeName(tool)}`);
  const digester = createDigester();
  await pipeToFile(exePath, [await nupkg.openEntry(`tools/${exeName(tool)}`), digester]);
  return {
    record: parseReleaseRecord(recordText),
    recordText,
    nuspecText: nupkg.nuspecText,
    verificationText: await text('VERIFICATION.txt'),
    licenseText: await text('LICENSE.txt'),
    exe: { path: exePath, digest: digester.digest() },
  };
}

/** What is wrong with untrusted bytes, as text; undefined for faults of this machine or of our code. */
export function faultOf(error: unknown): string | undefined {
  if (error instanceof FormatError) return error.message;
  if (error instanceof SyntaxError) return `a text that is not JSON (${error.message})`;
  if (error instanceof Error && error.name === 'ZodError') return 'JSON of another shape';
  return undefined;
}
