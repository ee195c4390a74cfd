/** Passes the chunks on, and reports the number of bytes after each. */
export async function* countBytes<Chunk extends Uint8Array>(
  source: AsyncIterable<Chunk>,
  onProgress: (doneBytes: number) => void,
): AsyncGenerator<Chunk> {
  let doneBytes = 0;
  for await (const chunk of source) {
    yield chunk;
    doneBytes += chunk.length;
    onProgress(doneBytes);
  }
}
