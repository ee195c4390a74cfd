/** What a document is joined from: texts, and bytes that were rendered before. */
export type Part = string | Buffer;

/** All parts in one buffer: one copy of each, and no text as long as the document. */
export function joinParts(parts: readonly Part[]): Buffer {
  let size = 0;
  for (const part of parts) size += typeof part === 'string' ? Buffer.byteLength(part) : part.length;
  const joined = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const part of parts) {
    at += typeof part === 'string' ? joined.write(part, at) : part.copy(joined, at);
  }
  return joined;
}
