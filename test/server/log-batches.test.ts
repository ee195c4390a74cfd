import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger, inBatches } from '../../server/log.ts';

function start() {
  const writes: string[] = [];
  const log = createLogger('info', inBatches({ write: (text) => void writes.push(text) }));
  const messages = () =>
    writes.map((text) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).msg),
    );
  return { log, messages };
}

describe('lines of the log', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('of requests are written together, each of them complete', async () => {
    const { log, messages } = start();
    for (let n = 0; n < 5; n++) {
      log.info({ url: '/a "quoted" \n path' }, 'request');
      await nextTurn();
    }
    expect(messages()).toEqual([]);
    vi.advanceTimersByTime(60);
    expect(messages()).toEqual([Array(5).fill('request')]);
  });

  it('of all others are written at once, after the requests that came before', async () => {
    const { log, messages } = start();
    log.info({}, 'request');
    await nextTurn();
    log.warn({}, 'something is wrong');
    log.info({}, 'request');
    await nextTurn();
    expect(messages()).toEqual([['request', 'something is wrong', 'request']]);
    vi.advanceTimersByTime(60);
    expect(messages()).toHaveLength(1);
  });

  it('do not wait once there are many of them', () => {
    const { log, messages } = start();
    for (let n = 0; n < 100; n++) log.info({ url: 'x'.repeat(1000) }, 'request');
    expect(messages().flat().length).toBeGreaterThan(50);
  });
});
