import type { IncomingMessage } from 'node:http';
import type { Express } from 'express';

/** The other end of a request. Proxies that TRUST_PROXY names may speak for it. */
export type Peer = {
  readonly address: string | undefined;
  /** Whether nobody on the way can read the request. */
  readonly isSecure: boolean;
};

/**
 * The peer as in `request.ip` and `request.secure`, for requests that bypass Express: of the connection, or as proxies in
 * TRUST_PROXY say. Express itself parses the headers, so that both always agree.
 */
export function createReadPeer(app: Express): (req: IncomingMessage) => Peer {
  return (req) => {
    const { headers, socket } = req;
    if (headers['x-forwarded-for'] === undefined && headers['x-forwarded-proto'] === undefined) {
      return { address: socket.remoteAddress, isSecure: 'encrypted' in socket };
    }
    const request: Express['request'] = Object.create(app.request, {
      headers: { value: headers },
      socket: { value: socket },
      connection: { value: socket },
    });
    return { address: request.ip, isSecure: request.secure };
  };
}
