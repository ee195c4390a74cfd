import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';

export type RawAnswer = {
  readonly status: number;
  readonly reason: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Uncompressed. */
  readonly body: Buffer;
  /** As long as it came. */
  readonly bodyBytes: number;
};

/**
 * Sends a request exactly as it is written: HTTP clients of today know no HTTP/1.0 and escape quotes in addresses.
 * The connection is closed after it.
 */
export async function sendRaw(
  origin: string,
  line: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer = Buffer.alloc(0),
): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  const lines = [line, ...Object.entries({ ...headers, Connection: 'close' }).map(([name, value]) => `${name}: ${value}`)];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  socket.write(body);
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece as Buffer);
  return parseAnswer(Buffer.concat(pieces));
}

function parseAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n');
  const [statusLine = '', ...fields] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const [, status, reason = ''] = /^HTTP\/1\.1 (\d+) ?(.*)$/.exec(statusLine) ?? [];
  const headers = new Map(
    fields.map((field): [string, string] => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  const sent = bytes.subarray(end + 4);
  const body = headers.get('content-encoding') === 'gzip' ? gunzipSync(sent) : sent;
  return { status: Number(status), reason, headers, body, bodyBytes: sent.length };
}
