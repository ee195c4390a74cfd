import type { LocalFile } from '../../formats/digest.ts';
import { FormatError, fail, quoted } from '../../formats/format-error.ts';
import { withNupkg } from '../../formats/nupkg.ts';
import { type Architecture, parseReleaseRecord } from '../../formats/release-record.ts';
import { exeName } from '../tool-file/payload-place.ts';
import type { Tool } from '../tool-file/tools.ts';
import type { Published } from './published.ts';

export type PublishedPackage = Awaited<ReturnType<typeof readPackage>>;

/** A payload as Scoop downloads it. */
export type PublishedPayload = LocalFile & {
  readonly architecture: Architecture;
  readonly file: string;
};

const maxTextBytes = 4 * 1024 * 1024;

/** The contents of a package on the feed, read whole, with `tools/EXE` taken out. @throws FormatError, SyntaxError or ZodError for one that cannot be read, or has no record: see `faultOf` */
export function readPackage(tool: Tool, file: LocalFile, published: Pick<Published, 'exe'>) {
  return withNupkg(file.path, async (nupkg) => {
    const text = async (name: string): Promise<string> =>
      (await nupkg.readEntry(`tools/${name}`, maxTextBytes)).toString('utf8');
    const recordText = await text('release.json');
    const exe = await published.exe(tool, file.path);
    if (exe === undefined) fail('ZIP_ENTRY_MISSING', { name: quoted(`tools/${exeName(tool)}`) });
    return {
      ...file,
      exe,
      record: parseReleaseRecord(recordText),
      recordText,
      nuspecText: nupkg.nuspecText,
      verificationText: await text('VERIFICATION.txt'),
      licenseText: await text('LICENSE.txt'),
    };
  });
}

/** What is wrong with untrusted bytes, as text; undefined for faults of this machine or of our code. */
export function faultOf(error: unknown): string | undefined {
  if (error instanceof FormatError) return error.message;
  if (error instanceof SyntaxError) return `a text that is not JSON (${error.message})`;
  if (error instanceof Error && error.name === 'ZodError') return 'JSON of another shape';
  return undefined;
}
