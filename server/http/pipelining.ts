import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** No client of ours sends a second request before the first is answered; some proxies send a few. */
export const maxWaitingRequests = 50;

/**
 * Handles the requests of one connection one after the other. Node hands over all that arrive, and keeps the beginning of
 * each answer in memory until its turn: two hundred small requests for a large package took 50 MB a connection. Who
 * sends more than `maxWaiting` ahead is cut off.
 */
export function oneByOne(handle: RequestListener, maxWaiting = maxWaitingRequests): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (req, res) => {
    if (res.socket !== null) return handle(req, res);
    // Node gives an answer its socket when the one before it is through.
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
