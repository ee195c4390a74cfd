import { fail } from '../errors.ts';

/** More lines than any real fetch has. git's work on some of them grows with the square of their number. */
const maxLines = 200_000;
const maxLinesOf: Readonly<Record<string, number>> = { 'deepen-not': 100, shallow: 20_000 };
const digits = 4;

/**
 * Reads the whole request of a fetch and counts its lines before git sees them: seven megabytes of `deepen-not`, which anybody
 * may send, kept git busy for 15 seconds.
 * @throws FeedError PUSH_TOO_LARGE, and what `chunks` and `take` throw
 */
export async function readFetch(
  chunks: AsyncIterable<Buffer>,
  take: (bytes: number) => void = () => undefined,
): Promise<Buffer> {
  const held: Buffer[] = [];
  for await (const chunk of chunks) {
    take(chunk.length);
    held.push(chunk);
  }
  const request = Buffer.concat(held);
  const counts = new Map<string, number>();
  let lines = 0;
  for (const line of linesOf(request)) {
    lines += 1;
    if (lines > maxLines) refuse('lines', maxLines);
    const name = wordOf(line);
    const max = maxLinesOf[name];
    if (max === undefined) continue;
    const count = (counts.get(name) ?? 0) + 1;
    if (count > max) refuse(`lines of ${name}`, max);
    counts.set(name, count);
  }
  return request;
}

/**
 * The contents of packets, up to the first broken one: git does not read further either (gitprotocol-common, "pkt-line Format").
 */
function* linesOf(request: Buffer): Generator<Buffer> {
  for (let at = 0; at + digits <= request.length; ) {
    const length = lengthAt(request, at);
    if (length === undefined) return;
    // Flush, delimiter, end of response.
    const end = at + Math.max(length, digits);
    yield request.subarray(at + digits, end);
    at = end;
  }
}

function lengthAt(request: Buffer, at: number): number | undefined {
  const prefix = request.toString('latin1', at, at + digits);
  return /^[0-9a-f]{4}$/i.test(prefix) ? Number.parseInt(prefix, 16) : undefined;
}

function wordOf(line: Buffer): string {
  const blank = line.indexOf(' ');
  return blank < 0 || blank > 12 ? '' : line.toString('latin1', 0, blank);
}

function refuse(what: string, limit: number): never {
  fail('PUSH_TOO_LARGE', { what: 'The fetch', found: `more than ${limit} ${what}`, limit });
}
