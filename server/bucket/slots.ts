import { fail } from '../errors.ts';

/** Room for `count` at a time; the others wait in the order they came. With one slot it is a lock. */
export interface Slots {
  /**
   * Waits for a slot; answers with the function that gives it back (calling it twice does nothing).
   * @throws FeedError GIT_BUSY when too many wait already, or the reason of `signal` when it is aborted first
   */
  acquire(signal: AbortSignal): Promise<() => void>;
}

export function createSlots(count: number, maxWaiting: number): Slots {
  const waiting: (() => void)[] = [];
  let free = count;

  function createRelease(): () => void {
    let isReleased = false;
    return () => {
      if (isReleased) {
        return;
      }
      isReleased = true;
      const next = waiting.shift();
      if (next === undefined) {
        free += 1;
      } else {
        next();
      }
    };
  }

  async function acquire(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return createRelease();
    }
    if (waiting.length >= maxWaiting) {
      fail('GIT_BUSY');
    }
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        waiting.splice(waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      waiting.push(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
    return createRelease();
  }

  return { acquire };
}
