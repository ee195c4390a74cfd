/** A piece of a response: text, or bytes that were rendered before. */
export type Part = string | Buffer;
export type Body = Buffer | readonly Part[];

export function sizeOf(body: Body): number {
  if (Buffer.isBuffer(body)) return body.length;
  let size = 0;
  for (const part of body) size += typeof part === 'string' ? Buffer.byteLength(part) : part.length;
  return size;
}

/** Copies each part once. */
export function writeBody(body: Body, target: Buffer, start: number): void {
  let at = start;
  for (const part of Buffer.isBuffer(body) ? [body] : body) {
    at += typeof part === 'string' ? target.write(part, at) : part.copy(target, at);
  }
}

export function joinBody(body: Body): Buffer {
  if (Buffer.isBuffer(body)) return body;
  const joined = Buffer.allocUnsafeSlow(sizeOf(body));
  writeBody(body, joined, 0);
  return joined;
}

/** Smaller bodies use Node's own pool. */
const minLentBytes = 4 * 1024;
const maxIdle = 8;

/** Each is twice as large as the one before: a slow client that keeps a short body must not occupy the memory for a long one. */
const lenders = [8, 16, 32, 64, 128, 256].map((kibibytes) => ({
  bytes: kibibytes * 1024,
  idle: [] as Buffer[],
}));

/**
 * Writes a body into reused memory: with new memory for each, V8 collects its whole heap again and again (decision 15). Call
 * `giveBack` when the operating system has all of it; if that never happens, the memory is garbage collected.
 */
export function lendBody(body: Body): { readonly bytes: Buffer; readonly giveBack?: () => void } {
  const size = sizeOf(body);
  const lender = lenders.find(({ bytes }) => size <= bytes);
  if (Buffer.isBuffer(body) || size < minLentBytes || lender === undefined) return { bytes: joinBody(body) };
  const { idle } = lender;
  const memory = idle.pop() ?? Buffer.allocUnsafeSlow(lender.bytes);
  writeBody(body, memory, 0);
  return {
    bytes: memory.subarray(0, size),
    giveBack: () => {
      if (idle.length < maxIdle) idle.push(memory);
    },
  };
}
