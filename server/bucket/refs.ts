import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The object id of a ref, undefined when it does not exist. Reads git's two files directly: every request for a manifest needs
 * the tip of its branch, and starting a process each time would cost more than the answer.
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
    // Neither a folder of tags (`refs/tags/buf`) nor a file on the way is a ref.
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') {
      return undefined;
    }
    throw error;
  }
}
