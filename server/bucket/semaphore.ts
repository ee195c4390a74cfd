import { fail } from '../errors.ts';

/** Lets `count` tasks run at a time; the others wait in the order they came. With a count of one it is a mutex. */
export interface Semaphore {
  /**
   * Waits for a slot; returns a function that releases it (calling it twice does nothing). Without a `holder`, `perHolder` does
   * not apply.
   * @throws FeedError GIT_BUSY when too many wait already, or the reason of `signal` when it is aborted first
   */
  acquire(signal: AbortSignal, holder?: string): Promise<() => void>;
}

type Waiting = { readonly holder: string | undefined; readonly enter: () => void };

/**
 * One holder gets at most `perHolder` slots and half of the waiting places, so that slow or insistent clients leave room for
 * others.
 */
export function createSemaphore(count: number, maxWaiting: number, perHolder = count): Semaphore {
  const waiting: Waiting[] = [];
  const taken = new Map<string, number>();
  const maxWaitingOfOne = perHolder < count ? Math.ceil(maxWaiting / 2) : maxWaiting;
  let free = count;

  function isAdmitted(holder: string | undefined): boolean {
    return free > 0 && (holder === undefined || (taken.get(holder) ?? 0) < perHolder);
  }

  function take(holder: string | undefined): void {
    free -= 1;
    if (holder !== undefined) taken.set(holder, (taken.get(holder) ?? 0) + 1);
  }

  function giveBack(holder: string | undefined): void {
    free += 1;
    if (holder !== undefined) {
      const left = (taken.get(holder) ?? 1) - 1;
      if (left > 0) taken.set(holder, left);
      else taken.delete(holder);
    }
    const next = waiting.findIndex((one) => isAdmitted(one.holder));
    const [admitted] = next < 0 ? [] : waiting.splice(next, 1);
    if (admitted === undefined) return;
    take(admitted.holder);
    admitted.enter();
  }

  function createRelease(holder: string | undefined): () => void {
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      giveBack(holder);
    };
  }

  function refuseTooMany(holder: string | undefined): void {
    const ofOne = holder === undefined ? 0 : waiting.filter((one) => one.holder === holder).length;
    if (waiting.length >= maxWaiting || ofOne >= maxWaitingOfOne) fail('GIT_BUSY');
  }

  async function acquire(signal: AbortSignal, holder?: string): Promise<() => void> {
    signal.throwIfAborted();
    if (isAdmitted(holder)) {
      take(holder);
      return createRelease(holder);
    }
    refuseTooMany(holder);
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const one = { holder, enter };
      const leave = (): void => {
        waiting.splice(waiting.indexOf(one), 1);
        reject(signal.reason);
      };
      waiting.push(one);
      signal.addEventListener('abort', leave, { once: true });
    });
    return createRelease(holder);
  }

  return { acquire };
}
