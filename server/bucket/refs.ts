import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The object id that a ref holds, undefined when it is not there. Reads git's two files for it: every request for a
 * manifest asks where its branch is, and a process each time would cost more than the answer.
 */
export async function readRef(repoDir: string, ref: string): Promise<string | undefined> {
  if (!/^refs\/[^\\:*?<>|"\s]+$/.test(ref) || ref.split('/').includes('..')) {
    return undefined;
  }
  const loose = await readIfThere(join(repoDir, ...ref.split('/')));
  if (loose !== undefined) {
    return oidOf(loose.trim());
  }
  const packed = await readIfThere(join(repoDir, 'packed-refs'));
  const line = packed?.split('\n').find((one) => one.endsWith(` ${ref}`));
  return line === undefined ? undefined : oidOf(line.slice(0, line.indexOf(' ')));
}

function oidOf(text: string): string | undefined {
  return /^[0-9a-f]{40,64}$/.test(text) ? text : undefined;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // A folder of tags (`refs/tags/buf`) is no ref, and neither is a file on the way to one.
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') {
      return undefined;
    }
    throw error;
  }
}
