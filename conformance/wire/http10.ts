import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Address } from './address.ts';
import type { Answer } from './answer.ts';
import { readBody } from './body.ts';

/**
 * One GET over HTTP/1.0, as choco 0.10.15 and 1.x send their base probe, `$metadata` and downloads (spec nuget-v2 18.2).
 * The body is what came, undecoded: such a client knows no chunks. @throws Error of the connection or the signal
 */
export async function exchangeHttp10(
  address: Address,
  headers: Readonly<Record<string, string>>,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Omit<Answer, 'request'>> {
  const socket = open(address);
  const abort = (): void => void socket.destroy(new Error('no whole answer in time'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    const lines = Object.entries({ Host: new URL(address.origin).host, Connection: 'close', ...headers });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`GET ${address.target} HTTP/1.0\r\n${head}\r\n`);
    return parse(await readBody(socket as AsyncIterable<Buffer>, maxBytes));
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}

function open({ isSecure, hostname, port }: Address): Socket {
  return isSecure ? connectTls({ host: hostname, port, servername: hostname }) : connectTcp(port, hostname);
}

function parse(bytes: Buffer): Omit<Answer, 'request'> {
  const end = bytes.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = bytes.subarray(0, Math.max(end, 0)).toString('latin1').split('\r\n');
  const [, httpVersion, status, reason = ''] = /^HTTP\/(1\.[01]) (\d{3}) ?(.*)$/.exec(statusLine) ?? [];
  if (httpVersion === undefined) throw new Error('the answer is no HTTP/1.x');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(status),
    reason,
    httpVersion,
    headers: Object.fromEntries(headers),
    body: bytes.subarray(end + 4),
  };
}
