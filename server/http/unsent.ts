import type { ServerResponse } from 'node:http';
import { addressGroup } from '../../formats/ip-address.ts';

/** The limit for prepared responses that wait in memory until clients read them. */
export const maxUnsentBytes = 256 * 1024 ** 2;

/** A thousand connections with smaller ones need little memory. */
const minBytes = 64 * 1024;

type Waiting = { readonly bytes: number; readonly from: string; readonly takers: Set<ServerResponse> };

export type Unsent = {
  /** Counts the body until the answer is sent or the client is gone. Call it for one that the system did not take at once. */
  hold(res: ServerResponse, body: Buffer, from: string | undefined): void;
  /** Whether an answer is still to be sent from this memory. */
  isRead(memory: ArrayBufferLike): boolean;
};

/**
 * Limits the bodies that wait in memory to be sent: clients that ask for long pages and read none of them would fill it. Above
 * the limit, answers are cut off, the oldest first, of the address with the most bytes. A body that is sent to many clients
 * counts once.
 */
export function createUnsent(maxBytes: number = maxUnsentBytes): Unsent {
  /** By the memory that holds it, oldest first. */
  const bodies = new Map<ArrayBufferLike, Waiting>();
  /** How many answers read from it, whatever their size. */
  const readers = new Map<ArrayBufferLike, number>();
  let total = 0;

  function read(memory: ArrayBufferLike, res: ServerResponse): void {
    readers.set(memory, (readers.get(memory) ?? 0) + 1);
    res.on('close', () => {
      const others = (readers.get(memory) ?? 1) - 1;
      if (others > 0) readers.set(memory, others);
      else readers.delete(memory);
    });
  }

  function letGo(memory: ArrayBufferLike, res: ServerResponse): void {
    const waiting = bodies.get(memory);
    if (waiting?.takers.delete(res) !== true || waiting.takers.size > 0) return;
    bodies.delete(memory);
    total -= waiting.bytes;
  }

  function cutOffOldest(): void {
    const byAddress = new Map<string, number>();
    for (const { from, bytes } of bodies.values()) {
      const group = addressGroup(from);
      byAddress.set(group, (byAddress.get(group) ?? 0) + bytes);
    }
    const most = Math.max(...byAddress.values());
    for (const [memory, { from, takers }] of bodies) {
      if (byAddress.get(addressGroup(from)) !== most) continue;
      for (const res of takers) {
        res.destroy();
        letGo(memory, res);
      }
      return;
    }
  }

  return {
    hold(res, body, from = '') {
      if (res.closed) return;
      const memory = body.buffer;
      read(memory, res);
      if (body.length < minBytes) return;
      const bytes = memory.byteLength;
      const waiting = bodies.get(memory) ?? { bytes, from, takers: new Set() };
      if (waiting.takers.size === 0) {
        total += bytes;
        bodies.set(memory, waiting);
      }
      waiting.takers.add(res);
      res.on('close', () => letGo(memory, res));
      while (total > maxBytes && bodies.size > 1) cutOffOldest();
    },
    isRead: (memory) => readers.has(memory),
  };
}

/** One for the process, because its memory is shared. */
export const unsent = createUnsent();
