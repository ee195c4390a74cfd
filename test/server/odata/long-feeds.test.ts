import { describe, expect, it } from 'vitest';
import { createLongFeeds } from '../../../server/odata/long-feeds.ts';

describe('long feeds', () => {
  it('are written one after the other, in the order they came', async () => {
    const feeds = createLongFeeds();
    const log: string[] = [];
    async function write(name: string): Promise<void> {
      const leave = await feeds.enter();
      log.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`${name} ends`);
      leave();
    }

    await Promise.all(['a', 'b', 'c'].map(write));

    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('are refused while too many wait, and taken again afterwards', async () => {
    const feeds = createLongFeeds(1);
    const leave = await feeds.enter();
    const second = feeds.enter();

    await expect(feeds.enter()).rejects.toMatchObject({ code: 'QUERY_BUSY' });
    leave();
    (await second)();

    (await feeds.enter())();
  });
});
