import { setImmediate } from 'node:timers/promises';

/** How long one piece of work may keep everybody else waiting. */
const heldMs = 5;

export type Pause = { isDue(): boolean; take(): Promise<void> };

/** Those who pause go on one at a time, each in a turn of the event loop of its own: twenty together would hold it twenty times as long. */
let lastTurn: Promise<void> = Promise.resolve();

/** For a long piece of work, between its parts: lets the others go on whenever it has held the thread for too long. */
export function createPause(): Pause {
  let since = performance.now();
  return {
    isDue: () => performance.now() - since >= heldMs,
    async take() {
      lastTurn = lastTurn.then(() => setImmediate());
      await lastTurn;
      since = performance.now();
    },
  };
}
