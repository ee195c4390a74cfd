import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type Listening, listen } from './listen.ts';

/** Changes what a server answers; undefined leaves it as it is. */
export type Tamper = (path: string, body: Buffer) => Buffer | undefined;
export type TamperingProxy = Listening & { tamper: Tamper };

/** A wire between the generator and a server on which somebody changes what comes back. */
export async function startTamperingProxy(target: string): Promise<TamperingProxy> {
  const { hostname, port } = new URL(target);
  const proxy: { tamper: Tamper } = { tamper: () => undefined };
  const server = await listen(async (incoming, response) => {
    const { method, url: path = '/', headers } = incoming;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const plain = { ...headers, 'accept-encoding': 'identity' };
      incoming.pipe(request({ hostname, port, method, path, headers: plain }, resolve).on('error', reject));
    });
    const body = await buffer(answer);
    const changed = proxy.tamper(decodeURIComponent(path), body) ?? body;
    const { 'transfer-encoding': _chunked, ...rest } = answer.headers;
    response.writeHead(answer.statusCode ?? 502, { ...rest, 'content-length': changed.length }).end(changed);
  });
  return Object.assign(proxy, server);
}
