import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { addressGroup, isLoopbackAddress, isTrustedAddress } from '../../formats/ip-address.ts';
import type { Logger } from '../log.ts';

/** Open connections per address (per IPv6 network of 64 bits). Hundreds of machines may share one behind a router. */
export const maxConnections = 1_000;

/** How long a connection above the limit stays open for its first request, which gets the reason for the refusal. */
const refusedMs = 5_000;

/** The number of such connections; further ones are closed at once. */
const maxRefused = 100;

type Counted = { readonly address: string; count: number; isLogged: boolean };

/**
 * Counts the connections of each address, from the first byte on, and refuses those above the limit. Addresses of this machine
 * and of trusted proxies are not counted: all clients of a proxy share its address, and only requests reveal theirs.
 */
export function createConnectionLimit(
  trustProxy: readonly string[],
  log: Pick<Logger, 'warn'>,
  max: number = maxConnections,
): { watch(server: Server): void; guard(handle: RequestListener): RequestListener } {
  const groups = new Map<string, Counted>();
  const refused = new WeakSet<Socket>();

  function enter(socket: Socket, isTls: boolean): void {
    const address = socket.remoteAddress ?? '';
    if (isLoopbackAddress(address) || isTrustedAddress(address, trustProxy)) return;
    const group = addressGroup(address);
    const counted = groups.get(group) ?? { address, count: 0, isLogged: false };
    groups.set(group, counted);
    counted.count += 1;
    socket.once('close', () => {
      counted.count -= 1;
      if (counted.count === 0) groups.delete(group);
    });
    if (counted.count <= max) return;
    if (!counted.isLogged) log.warn({ from: counted.address, max }, 'too many connections from one address');
    counted.isLogged = true;
    // Before the handshake no reason can be sent.
    if (isTls || counted.count > max + maxRefused) {
      socket.destroy();
      return;
    }
    refused.add(socket);
    const timer = setTimeout(() => socket.destroy(), refusedMs).unref();
    socket.once('close', () => clearTimeout(timer));
  }

  return {
    watch(server) {
      const isTls = server instanceof TlsServer;
      server.on('connection', (socket: Socket) => enter(socket, isTls));
    },
    guard: (handle) => (req, res) => (refused.has(req.socket) ? refuse(res, max) : handle(req, res)),
  };
}

function refuse(res: ServerResponse, max: number): void {
  const sentence = `Your address has more than ${max} connections to this server; close some, or name your proxy in TRUST_PROXY.`;
  res.writeHead(503, sentence, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Retry-After': '5',
    Connection: 'close',
  });
  res.end(`${sentence}\n`);
}
