import type { Difference } from '../plan/same-files.ts';

const parts: Readonly<Record<Difference['part'], string>> = {
  source: 'the source',
  upstream: 'upstream',
  file: 'the file',
  sha256: 'SHA-256 of the file',
  path: 'the main package',
  version: 'the module version',
  sum: 'the module sum',
  tags: 'the build tags',
  ldflags: 'the linker flags',
  toolchain: 'the Go toolchain',
};

/** What differs, in the middle of a sentence: `the module sum for amd64`. */
export function describePart({ part, architecture }: Difference): string {
  return architecture === undefined ? parts[part] : `${parts[part]} for ${architecture}`;
}
