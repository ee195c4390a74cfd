/** Seven bits a byte, the lowest first; the highest bit says that more follow. Undefined when the bytes end before it does. */
export function readUvarint(
  bytes: Uint8Array,
): { readonly value: number; readonly size: number } | undefined {
  let value = 0;
  for (const [index, byte] of bytes.entries()) {
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, size: index + 1 };
  }
  return undefined;
}
