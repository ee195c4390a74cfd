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

export type Lent = { readonly bytes: Buffer; readonly giveBack?: () => void };

/**
 * Writes a body into reused memory: with new memory for each, V8 collects its whole heap again and again (decision 15). Call
 * `giveBack` when the operating system has all of it; if that never happens, the memory is garbage collected.
 */
export function lendBody(body: Body): Lent {
  if (Buffer.isBuffer(body)) return { bytes: body };
  const lent = lend(sizeOf(body));
  writeBody(body, lent.bytes, 0);
  return lent;
}

/** Bytes with places for a short text in between. */
export type Template = { readonly parts: readonly Buffer[]; readonly size: number };

export function splitAt(body: Buffer, place: Buffer): Template {
  const parts: Buffer[] = [];
  let start = 0;
  for (let at = body.indexOf(place); at >= 0; at = body.indexOf(place, start)) {
    parts.push(body.subarray(start, at));
    start = at + place.length;
  }
  parts.push(body.subarray(start));
  return { parts, size: sizeOf(parts) };
}

/** The same for a template, with the ASCII text in each of its places: a list of a hundred parts would take longer than the bytes. */
export function lendFilled({ parts, size }: Template, text: string): Lent {
  const lent = lend(size + (parts.length - 1) * text.length);
  const { bytes } = lent;
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
    if (at === bytes.length) break;
    // Byte by byte: a call of `set` takes longer than a few bytes.
    for (let n = 0; n < text.length; n++) bytes[at++] = text.charCodeAt(n);
  }
  return lent;
}

function lend(size: number): Lent {
  const lender = lenders.find(({ bytes }) => size <= bytes);
  if (size < minLentBytes || lender === undefined) return { bytes: Buffer.allocUnsafeSlow(size) };
  const { idle } = lender;
  const memory = idle.pop() ?? Buffer.allocUnsafeSlow(lender.bytes);
  return {
    bytes: memory.subarray(0, size),
    giveBack: () => {
      if (idle.length < maxIdle) idle.push(memory);
    },
  };
}
