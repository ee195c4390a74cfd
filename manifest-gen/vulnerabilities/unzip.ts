import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** The index of the whole Go database has about 2 MB. */
export const maxTextBytes = 64 * 1024 * 1024;

const inflate = promisify(gunzip);

/**
 * The text of a file that may be compressed: `.gz` says it is, a server may have said so too and it was unpacked on the way.
 * @throws when it is damaged or longer than `maxTextBytes`
 */
export async function textOf(bytes: Buffer): Promise<string> {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = isGzip ? await inflate(bytes, { maxOutputLength: maxTextBytes }) : bytes;
  return plain.toString('utf8');
}
