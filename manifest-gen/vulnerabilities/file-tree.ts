import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../formats/thrown.ts';
import { fail } from '../errors.ts';
import type { DatabaseTree } from './database.ts';
import { maxTextBytes, textOf } from './unzip.ts';

/**
 * A database in a folder, for machines without internet: each file plain or as .gz.
 * @throws ReleaseError VULN_DB_UNREACHABLE when the folder does not exist, such as a disk that is not mounted
 */
export async function openFileTree(url: string, dir: string): Promise<DatabaseTree> {
  const isFolder = await stat(dir).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) fail('VULN_DB_UNREACHABLE', { url, cause: `${dir} is not a folder` });
  return {
    url,
    async read(endpoint) {
      const path = join(dir, ...endpoint.split('/'));
      try {
        return (await readText(`${path}.json`)) ?? (await readText(`${path}.json.gz`));
      } catch (error) {
        return fail('VULN_DB_UNREACHABLE', { url, cause: messageOf(error) }, error);
      }
    },
  };
}

async function readText(path: string): Promise<string | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  try {
    const bytes = (await file?.stat())?.size ?? 0;
    if (bytes > maxTextBytes) throw new Error(`${path} is longer than ${maxTextBytes} bytes`);
    return file && (await textOf(await file.readFile()));
  } finally {
    await file?.close();
  }
}
