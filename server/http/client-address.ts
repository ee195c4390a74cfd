import type { IncomingMessage } from 'node:http';
import type { Express } from 'express';

/**
 * The asker's address as `request.ip` has it, for requests that do not pass Express: of the connection, or what
 * proxies say that TRUST_PROXY names. Express itself reads the header, so that there is one reading of it.
 */
export function clientAddress(app: Express): (req: IncomingMessage) => string | undefined {
  const readIp = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(app.request), 'ip')?.get;
  return (req) => {
    if (readIp === undefined || req.headers['x-forwarded-for'] === undefined) return req.socket.remoteAddress;
    return readIp.call({ app, headers: req.headers, socket: req.socket, connection: req.socket });
  };
}
