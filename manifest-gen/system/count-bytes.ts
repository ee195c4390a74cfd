/** The same chunks; tells how many bytes there have been, each time a chunk was taken. */
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
