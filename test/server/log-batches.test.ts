import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger, inBatches, toFile } from '../../server/log.ts';

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

describe.skipIf(!existsSync('/dev/full'))('a log on a full disk (needs /dev/full)', () => {
  it('does not end the server', async () => {
    const full = await open('/dev/full', 'a');
    const uncaught = vi.fn();
    process.on('uncaughtException', uncaught);
    try {
      const stream = toFile(full.fd);
      for (let n = 0; n < 200; n++) stream.write(`${'x'.repeat(10_000)}\n`);
      await nextTurn();
    } finally {
      process.off('uncaughtException', uncaught);
      await full.close();
    }
    expect(uncaught).not.toHaveBeenCalled();
  });
});
