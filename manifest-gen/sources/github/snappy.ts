import { snappyUncompress } from 'hysnappy';

/**
 * A snappy block: the length of what is in it as a varint, then what is in it
 * (https://github.com/google/snappy/blob/main/format_description.txt). Undefined when it is invalid, or has more than `maxBytes`.
 */
export function readSnappy(block: Buffer, maxBytes: number): Buffer | undefined {
  const length = readLength(block);
  if (length === undefined || length > maxBytes) return undefined;
  try {
    return Buffer.from(snappyUncompress(block, length));
  } catch {
    return undefined;
  }
}

/** Seven bits a byte, the lowest first; the highest bit says that more follow. */
function readLength(block: Buffer): number | undefined {
  let length = 0;
  for (const [index, byte] of block.subarray(0, 5).entries()) {
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return length;
  }
  return undefined;
}
