import { open } from 'node:fs/promises';
import type { Architecture } from '../../formats/release-record.ts';
import { type GoBuildInfo, readGoBuildInfo } from './go-buildinfo.ts';

/** An exe and what its linker says it was made of; undefined for one that is not Go's, or does not say. */
export type Program = { readonly architecture: Architecture; readonly info: GoBuildInfo | undefined };

export async function readPrograms(
  exes: readonly { readonly architecture: Architecture; readonly path: string }[],
): Promise<readonly Program[]> {
  return Promise.all(
    exes.map(async ({ architecture, path }) => {
      const file = await open(path, 'r');
      try {
        return { architecture, info: await readGoBuildInfo(file) };
      } finally {
        await file.close();
      }
    }),
  );
}
