import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type * as z from 'zod';
import { jsonOf } from './json.ts';

/**
 * Makes a file that is at `path` whole or not at all.
 * @param make writes it under the name that it is given, which nobody else has: two tools of one run may want the same file
 * @throws what `make` throws; the errors of the file system
 */
export async function makeWhole<T>(path: string, make: (part: string) => Promise<T>): Promise<T> {
  const part = `${path}.${randomUUID()}.part`;
  try {
    const made = await make(part);
    await rename(part, path);
    return made;
  } catch (error) {
    await rm(part, { force: true }).catch(() => {
      // the first error counts
    });
    throw error;
  }
}

/**
 * A pipeline that ends in a file, and resolves when the file is closed. Node's own rejects sooner on failure: on a busy machine
 * the file may then still be waiting to be opened, and would appear again after it was removed.
 */
export async function pipeToFile(
  path: string,
  streams: readonly [Readable, ...Transform[]],
  { flush = false, signal }: { readonly flush?: boolean; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const file = createWriteStream(path, { flush });
  const closed = new Promise<void>((resolve) => file.once('close', () => resolve()));
  try {
    await pipeline([...streams, file], signal === undefined ? {} : { signal });
  } finally {
    await closed;
  }
}

/** JSON that an earlier run kept in a file; undefined when it is missing or damaged. */
export async function readKept<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  return schema.safeParse(jsonOf(await readFile(path, 'utf8').catch(() => ''))).data;
}
