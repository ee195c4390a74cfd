import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

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
