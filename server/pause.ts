import { setImmediate } from 'node:timers/promises';

/** How long one piece of work may keep everybody else waiting. */
const heldMs = 10;

export type Pause = { isDue(): boolean; take(): Promise<void> };

/** For a long piece of work, between its parts: lets the others go on whenever it has held the thread for too long. */
export function createPause(): Pause {
  let since = performance.now();
  return {
    isDue: () => performance.now() - since >= heldMs,
    async take() {
      await setImmediate();
      since = performance.now();
    },
  };
}
