import type { IncomingMessage } from 'node:http';
import type { Express } from 'express';

/** The other end of a request, as far as TRUST_PROXY lets proxies speak for it. */
export type Peer = {
  readonly address: string | undefined;
  /** Whether nobody on the way can read what is sent. */
  readonly isSecure: boolean;
};

/**
 * Reads the peer as `request.ip` and `request.secure` have it, for requests that do not pass Express: of the connection,
 * or what proxies say that TRUST_PROXY names. Express itself reads the headers, so that there is one reading of them.
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
