import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `sha256:` and the hash of the SBOM that `build` wrote, as go-win-probe has it; undefined in a checkout that was never built. */
export async function readSbomHash(productDir: string): Promise<string | undefined> {
  try {
    const sbom = await readFile(join(productDir, 'dist', 'sbom.cdx.json'));
    return `sha256:${createHash('sha256').update(sbom).digest('hex')}`;
  } catch {
    return undefined;
  }
}
