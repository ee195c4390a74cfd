import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** Real clients send the next request after an answer; some proxies send a few ahead. */
export const maxWaitingRequests = 50;

/**
 * Handles the requests of one connection one after the other. Node passes on all that arrive and keeps the beginning of each
 * answer in memory until it can be sent: two hundred small requests for a large package took 50 MB per connection. A connection
 * that sends more than `maxWaiting` ahead is closed.
 */
export function oneByOne(handle: RequestListener, maxWaiting = maxWaitingRequests): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (req, res) => {
    if (res.socket !== null) return handle(req, res);
    // Node gives an answer its socket after the previous one was sent.
    const { socket } = req;
    const count = (waiting.get(socket) ?? 0) + 1;
    waiting.set(socket, count);
    if (count > maxWaiting) socket.destroy();
    res.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      handle(req, res);
    });
  };
}
