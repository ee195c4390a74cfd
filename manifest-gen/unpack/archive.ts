import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Fault } from '../../errors/fault.ts';

/** Archives are untrusted: limits on what they may make us read and write. */
export type UnpackLimits = {
  readonly maxEntries: number;
  readonly maxExeBytes: number;
  readonly maxLicenseBytes: number;
  /** Unpacked to packed, of a whole tarball; a Go exe has about 3. Zips have those of formats/zip-directory.ts. */
  readonly maxRatio: number;
};
export const unpackLimits: UnpackLimits = {
  maxEntries: 10_000,
  maxExeBytes: 1024 ** 3,
  maxLicenseBytes: 256 * 1024,
  maxRatio: 100,
};

/** What is extracted from an archive; nothing else is. */
export type Wanted = {
  readonly member: string;
  /** Where the member's bytes go; called once. */
  readonly onMember: (bytes: Readable) => Promise<void>;
  readonly limits: UnpackLimits;
};
/** @throws Fault */
export type ReadArchive = (
  path: string,
  wanted: Wanted,
) => Promise<{ readonly licenseText?: string | undefined }>;

/** Turns an error of reading an archive into a fault of the archive; a full disk or a bug of ours stays as it is. */
export function faultFrom(error: unknown, expected: string): unknown {
  if (error instanceof Fault || (error instanceof Error && 'syscall' in error)) return error;
  if (error instanceof TypeError || error instanceof ReferenceError) return error;
  return new Fault(expected, error instanceof Error ? error.message : 'something else', error);
}

/** `LICENSE`, `LICENSE.md`, `buf/LICENSE`: at the root or in the one folder there. */
export function isLicense(name: string): boolean {
  return /^([^/]+\/)?LICEN[CS]E(\.(md|txt))?$/i.test(name);
}

export async function textOf(bytes: Readable): Promise<string> {
  return (await buffer(bytes)).toString('utf8');
}
