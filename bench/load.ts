import { connect, type Socket } from 'node:net';

export type Sample = { readonly perSecond: number; readonly errors: number };

const connections = 8;
/** Limits the number of prepared requests. Each of the eight connections cycles through at most this many addresses. */
const maxAddressesEach = 2_000;
/** At most this many addresses are asked for. */
export const maxAddresses = connections * maxAddressesEach;

/**
 * Eight keep-alive connections, each asking for its own addresses one after the other. Any status but 2xx is an error.
 *
 * Thirty lines of our own instead of a load tool: client and server share the machine, and a client that parses as much as the
 * server writes would distort the result, most of all for the fastest rival.
 */
export async function measure(
  url: string,
  paths: readonly string[],
  seconds: number,
  round = 0,
): Promise<Sample> {
  const end = performance.now() + seconds * 1000;
  return askAll(
    url,
    (n) => shareOf(paths, n, round),
    () => performance.now() < end,
  );
}

/** Asks for every address once: the cost of answers that are not in memory. */
export function measureFirst(url: string, paths: readonly string[]): Promise<Sample> {
  return askAll(
    url,
    (n) => shareOf(paths, n, 0),
    (asked, addresses) => asked < addresses,
  );
}

type GoOn = (asked: number, addresses: number) => boolean;

async function askAll(url: string, share: (connection: number) => string[], goOn: GoOn): Promise<Sample> {
  const started = performance.now();
  const counts = await Promise.all(Array.from({ length: connections }, (_, n) => ask(url, share(n), goOn)));
  const elapsedSeconds = (performance.now() - started) / 1000;
  return {
    perSecond: counts.reduce((sum, { answers }) => sum + answers, 0) / elapsedSeconds,
    errors: counts.reduce((sum, { errors }) => sum + errors, 0),
  };
}

/** Every eighth address for one connection, starting further on in each round. */
function shareOf(paths: readonly string[], connection: number, round: number): string[] {
  const share = paths.filter((_, n) => n % connections === connection % paths.length);
  const start = (round * maxAddressesEach) % share.length;
  return [...share.slice(start), ...share.slice(0, start)].slice(0, maxAddressesEach);
}

function ask(
  url: string,
  paths: readonly string[],
  goOn: GoOn,
): Promise<{ answers: number; errors: number }> {
  const { hostname, port } = new URL(url);
  const requests = paths.map((path) =>
    Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAccept: */*\r\n\r\n`),
  );
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(Number(port), hostname);
    socket.setNoDelay(true);
    const count = { answers: 0, errors: 0 };
    let next = 0;
    const reader = createReader((status) => {
      if (status >= 200 && status < 300) count.answers++;
      else count.errors++;
      if (goOn(next, requests.length)) send();
      else {
        socket.destroy();
        resolve(count);
      }
    });
    function send(): void {
      const request = requests[next++ % requests.length];
      if (request !== undefined) socket.write(request);
    }
    socket.on('connect', send);
    socket.on('data', reader);
    socket.on('error', reject);
    socket.on('end', () => reject(new Error(`${url} closed a keep-alive connection`)));
  });
}

/** Calls back with the status at the end of each answer. Bodies are counted but not read. */
function createReader(answered: (status: number) => void): (chunk: Buffer) => void {
  let head = '';
  let status = 0;
  let missingBytes = 0;
  let isChunked = false;
  return function read(chunk) {
    let at = 0;
    if (status === 0) {
      const text = chunk.toString('latin1', 0, 4096);
      const stop = (head + text).indexOf('\r\n\r\n');
      if (stop < 0) {
        head += chunk.toString('latin1');
        return;
      }
      at = stop + 4 - head.length;
      head = (head + text).slice(0, stop);
      status = Number(head.slice(9, 12));
      isChunked = /\r\ntransfer-encoding: *chunked/i.test(head);
      missingBytes = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    }
    missingBytes -= chunk.length - at;
    // There is one request at a time, so the last chunk ends this answer.
    const isWhole = isChunked ? chunk.subarray(-5).equals(lastChunk) : missingBytes <= 0;
    if (isWhole) {
      const ended = status;
      head = '';
      status = 0;
      answered(ended);
    }
  };
}

const lastChunk = Buffer.from('0\r\n\r\n');

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
