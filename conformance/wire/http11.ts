import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { hideSent } from '../../formats/hide-credentials.ts';
import type { Address } from './address.ts';
import type { Answer } from './answer.ts';
import { joinHeaders, readBody } from './body.ts';

export type Exchange = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** No Content-Length, as nuget.exe and choco 2.x push (spec nuget-v2 10.2). */
  readonly isChunked?: boolean;
  /** Waits for `100 Continue` before the body goes out. */
  readonly isExpecting?: boolean;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
};

const agents = {
  http: new HttpAgent({ keepAlive: true, maxSockets: 16 }),
  https: new HttpsAgent({ keepAlive: true, maxSockets: 16 }),
};
/** A server that says nothing to `Expect` gets the body all the same, as .NET does after 350 ms. */
const continueWaitMs = 1000;

/** One request over HTTP/1.1, its target as written. No redirect is followed. @throws Error of the connection or the signal */
export function exchange(
  address: Address,
  { maxBytes, ...sent }: Exchange,
): Promise<Omit<Answer, 'request'>> {
  return new Promise((resolve, reject) => {
    const request = open(address, sent);
    request.once('error', reject);
    request.once('response', (response: IncomingMessage) => {
      readBody(response, maxBytes).then((body) => {
        resolve({
          status: response.statusCode ?? 0,
          reason: hideSent(response.statusMessage ?? '', sent.headers),
          httpVersion: response.httpVersion,
          headers: joinHeaders(response.headers),
          body,
        });
      }, reject);
    });
    send(request, sent);
  });
}

function open(
  address: Address,
  { method, headers, body, isChunked, isExpecting, signal }: Omit<Exchange, 'maxBytes'>,
): ClientRequest {
  const { hostname, port, target: path, isSecure } = address;
  return (isSecure ? httpsRequest : httpRequest)({
    method,
    hostname,
    port,
    path,
    signal,
    agent: isSecure ? agents.https : agents.http,
    headers: {
      Host: address.origin.replace(/^https?:\/\//i, ''),
      ...headers,
      ...(isExpecting && { Expect: '100-continue' }),
      ...(body &&
        (isChunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(body.length) })),
    },
  });
}

function send(request: ClientRequest, { body, isExpecting }: Omit<Exchange, 'maxBytes'>): void {
  if (body === undefined) {
    request.end();
    return;
  }
  if (!isExpecting) {
    writeInPieces(request, body);
    return;
  }
  const once = (): void => {
    clearTimeout(timer);
    request.off('continue', once);
    writeInPieces(request, body);
  };
  const timer = setTimeout(once, continueWaitMs);
  request.once('continue', once);
  request.once('close', () => clearTimeout(timer));
  request.flushHeaders();
}

/** Two pieces, so that a chunked body really has several chunks. */
function writeInPieces(request: ClientRequest, body: Buffer): void {
  const middle = Math.ceil(body.length / 2);
  request.write(body.subarray(0, middle));
  request.end(body.subarray(middle));
}
