import { type NupkgLimits, openNupkg, verifyContent } from '../../formats/nupkg.ts';
import { nuspecWithItsFiles } from '../../formats/nupkg-files.ts';
import type { Nuspec } from '../../formats/nuspec.ts';
import { sourceOfBytes } from '../../formats/zip-file.ts';
import type { Upload } from '../blobs/blob-store.ts';

/** An uploaded package that is open to be checked. Close it in `finally`. */
export type Inspection = {
  /** Without the files that it names and the package does not have. */
  readonly nuspec: Nuspec;
  /** Reads every file to its end. @throws FormatError ZIP_* at the first that is damaged */
  verify(): Promise<void>;
  close(): Promise<void>;
};

/** @throws FormatError ZIP_*, NUPKG_*, XML_*, NUSPEC_*; the errors of the file system as they are */
export type Inspect = (content: Upload['content']) => Promise<Inspection>;

/** On this thread. */
export async function inspectHere(
  content: Upload['content'],
  limits: Partial<NupkgLimits> = {},
): Promise<Inspection> {
  const nupkg = await openNupkg(typeof content === 'string' ? content : sourceOfBytes(content), limits);
  return {
    nuspec: nuspecWithItsFiles(nupkg),
    verify: () => verifyContent(nupkg),
    close: () => nupkg.close(),
  };
}
