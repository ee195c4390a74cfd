import { open } from 'node:fs/promises';
import type { Architecture } from '../../formats/release-record.ts';
import { type GoBuildInfo, readGoBuildInfo } from './go-buildinfo.ts';

/** An exe and its Go build info; undefined for an exe without it. */
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
