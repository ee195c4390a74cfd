import { fail } from '../errors.ts';

/** How many may wait for their turn; each holds the first piece of its text in memory. */
const maxWaitingFeeds = 256;

export type LongFeeds = {
  /**
   * Waits until no other one is being written; returns the function that lets the next one begin.
   * @throws FeedError QUERY_BUSY when too many wait
   */
  enter(): Promise<() => void>;
};

export function createLongFeeds(maxWaiting: number = maxWaitingFeeds): LongFeeds {
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  return {
    async enter() {
      if (waiting >= maxWaiting) fail('QUERY_BUSY');
      waiting += 1;
      const before = last;
      const { promise, resolve } = withResolvers();
      last = promise;
      await before;
      waiting -= 1;
      return resolve;
    },
  };
}

/** Node 20 does not have Promise.withResolvers. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
