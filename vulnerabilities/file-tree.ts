import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { fail } from '../errors/release-error.ts';
import { withFile } from '../formats/scoped.ts';
import { messageOf } from '../formats/thrown.ts';
import type { DatabaseTree } from './database.ts';

/**
 * A database in a folder, for machines without internet: each file plain or as .gz.
 * @throws ReleaseError VULN_DB_UNREACHABLE when the folder does not exist, such as a disk that is not mounted
 */
export async function openFileTree(url: string, dir: string): Promise<DatabaseTree> {
  const found = await stat(dir).catch(() => undefined);
  if (found?.isDirectory() !== true) fail('VULN_DB_UNREACHABLE', { url, cause: `${dir} is not a folder` });
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
  const read = withFile(path, async (file) => {
    const { size } = await file.stat();
    if (size > maxTextBytes) throw new Error(`${path} is longer than ${maxTextBytes} bytes`);
    return textOf(await file.readFile());
  });
  return read.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** The index of the whole Go database has about 2 MB. */
export const maxTextBytes = 64 * 1024 * 1024;

const inflate = promisify(gunzip);

/**
 * The text of a file that may be compressed: by `.gz`; a server may have decompressed it on the way already.
 * @throws when it is damaged or longer than `maxTextBytes`
 */
export async function textOf(bytes: Buffer): Promise<string> {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = isGzip ? await inflate(bytes, { maxOutputLength: maxTextBytes }) : bytes;
  return plain.toString('utf8');
}
