import { fail } from '../errors.ts';

export type PktLines = {
  /** The content of each packet. */
  readonly packets: readonly Buffer[];
  /** The raw bytes of the packets, including the final flush. */
  readonly head: Buffer;
  /** Everything after them. */
  readonly rest: AsyncGenerator<Buffer>;
};

const limits = { bytes: 1024 * 1024, packetBytes: 2048 };
const digits = 4;

/**
 * Reads the packets at the beginning of a request, up to the flush (gitprotocol-common, "pkt-line Format"). Lengths in upper
 * case, empty packets and the special packets of protocol v2 are refused: no client sends them here.
 * @throws FeedError PUSH_INVALID, PUSH_TOO_LARGE, and what `chunks` throws
 */
export async function readPktLines(chunks: AsyncIterable<Buffer>): Promise<PktLines> {
  const source = chunks[Symbol.asyncIterator]();
  let held: Buffer[] = [];
  let heldBytes = 0;

  // Senders may use tiny chunks, so they are joined once per packet and not for each chunk.
  async function take(bytes: number): Promise<Buffer> {
    while (heldBytes < bytes) {
      const { value, done } = await source.next();
      if (done === true) {
        return fail('PUSH_INVALID', { problem: 'it ends within its list of refs' });
      }
      held.push(value);
      heldBytes += value.length;
    }
    const all = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
    held = [all.subarray(bytes)];
    heldBytes -= bytes;
    return all.subarray(0, bytes);
  }

  const packets: Buffer[] = [];
  const raw: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const prefix = await take(digits);
    raw.push(prefix);
    const length = lengthOf(prefix.toString('latin1'));
    if (length === 0) {
      return { packets, head: Buffer.concat(raw), rest: restOf(held, source) };
    }
    bytes += length;
    if (bytes > limits.bytes) {
      fail('PUSH_TOO_LARGE', {
        what: 'The list of refs',
        found: `more than ${limits.bytes} bytes`,
        limit: limits.bytes,
      });
    }
    const pktLine = await take(length - digits);
    raw.push(pktLine);
    packets.push(pktLine);
  }
}

function lengthOf(prefix: string): number {
  const length = /^[0-9a-f]{4}$/.test(prefix) ? Number.parseInt(prefix, 16) : Number.NaN;
  const isRight = length === 0 || (length > digits && length <= limits.packetBytes);
  return isRight
    ? length
    : fail('PUSH_INVALID', { problem: `a packet of length ${JSON.stringify(prefix)} is not allowed here` });
}

async function* restOf(held: readonly Buffer[], source: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield* held;
  for (;;) {
    const { value, done } = await source.next();
    if (done === true) {
      return;
    }
    yield value;
  }
}

/** A packet with this text followed by these bytes. */
export function pktLine(text: string, bytes: Buffer = Buffer.alloc(0)): Buffer {
  const content = Buffer.concat([Buffer.from(text), bytes]);
  return Buffer.concat([Buffer.from((content.length + digits).toString(16).padStart(digits, '0')), content]);
}

export const flushPkt: Buffer = Buffer.from('0000');
